"""The forms in which tables leave xpm: CSV, Markdown, HTML for notebooks, LaTeX, and the frames of pandas and polars.

Every kind of table is written from a `Sheet`, so this room knows no tables. All texts in it stay texts in each form,
whatever characters they have.
"""
