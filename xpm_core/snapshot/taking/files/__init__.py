"""Which files of a root belong to a snapshot: by git or a walk, by settings, names and limits.

Owns: which folders are never looked into, what becomes of links, and the bounds of each search. Opens no file of a root
but its pyproject.toml.
"""
