"""What a paper says of an experiment: the attempts that were made, and the jobs that a number comes from.

May import the workspace that a command has opened, the code of jobs, and the rooms of xpm_core.
"""
