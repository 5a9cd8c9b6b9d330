"""The user's side of errors: which line of the script called xpm, and tracebacks that show only the script's lines.

May import the modules that lie directly in `xpm_core`.
"""
