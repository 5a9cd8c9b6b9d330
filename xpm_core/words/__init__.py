"""Text for people: how times and lines look, which names are allowed, the commands that a message proposes.

May import the modules that lie directly in `xpm_core`.
"""
