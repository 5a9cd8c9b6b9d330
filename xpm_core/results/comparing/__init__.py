"""Two groups of jobs of a table, compared.

May import `folding` and the statistics. A table comes in as `Comparable`, so it does not know tables.
"""
