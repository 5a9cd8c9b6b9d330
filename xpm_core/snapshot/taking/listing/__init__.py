"""Which files a root has: as git lists them, or as a walk finds them, and what their names say.

Owns: which folders are never looked into, and the bounds of each search. Reads no content of a file.
"""
