"""The meaning of a name on the command line: a workspace, a job, an object of a script.

May import `xpm_cli.app`.
"""
