"""Completion of what is typed: the words that can come next, and the scripts that ask for them in a shell.

May import `lookup.find_workspace` and `xpm_cli.app`. Nothing of it is loaded unless a shell asks, or `xpm completion`.
"""
