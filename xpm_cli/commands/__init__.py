"""The commands of `xpm`, one file a command.

May import `output` and `lookup`.
"""
