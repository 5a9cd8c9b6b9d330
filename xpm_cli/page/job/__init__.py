"""One job: its facts, its log, what of its code has changed, and its files.

Owns: what is read for each of them, and what is said if it cannot be read. The words are those of `xpm show` and
`xpm why`.
"""
