"""The lines of the user's script: which of them called xpm, and errors that show only them.

May import the modules that lie directly in `xpm_core`.
"""
