"""The commands of `xpm`, one file a command: those that look, and those that act.

May import `xpm_cli.output`, `xpm_cli.lookup` and `xpm_cli.app`.
"""
