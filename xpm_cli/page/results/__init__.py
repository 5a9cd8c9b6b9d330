"""What the views of curves, results and comparisons show: tables, charts and differences, without HTTP and HTML.

Owns: which of it is kept between requests, and how much is shown at most. It reads what `xpm results`, `xpm plot` and
`xpm diff` read.
"""
