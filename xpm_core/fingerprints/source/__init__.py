"""What a file of Python says, definition by definition. Every answer is a function of the file's content.

Imports nothing of xpm but its own modules.
"""
