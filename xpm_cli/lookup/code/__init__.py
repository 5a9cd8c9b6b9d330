"""The code of jobs on which a command acts.

May import the workspace that a command has opened, and the rooms of xpm_core.
"""
