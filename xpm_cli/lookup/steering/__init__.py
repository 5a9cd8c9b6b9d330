"""Orders to workers, and pauses of queues: what a command or the page asks for, and the words for what came of it.

May import the workspace that a command has opened, and the rooms of xpm_core.
"""
