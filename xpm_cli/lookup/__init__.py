"""What a name on the command line stands for: a workspace, a job, an object of a script.

May import `xpm_cli.app`.
"""
