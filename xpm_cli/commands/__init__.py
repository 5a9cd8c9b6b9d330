"""The commands of `xpm`, one file a command: those that look, those that act, and those that keep a workspace in order.

May import `xpm_cli.output`, `xpm_cli.lookup` and `xpm_cli.app`.
"""
