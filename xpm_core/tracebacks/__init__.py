"""The user's side: which line of the script called xpm, where it runs, and tracebacks that show only its lines.

May import the modules that lie directly in `xpm_core`.
"""
