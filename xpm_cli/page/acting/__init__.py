"""Acting by the page: cancel and retry jobs, let workers leave, pause queues. Each act is that of a command.

Owns: that people see how many jobs an act changes before it begins, and what was not done after it. May import the
page's rendering, links and desk, and the rooms of `xpm_cli` that the page may import.
"""
