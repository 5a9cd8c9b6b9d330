"""Tables of workers and queues, and their records for programs.

It may import the rest of `output`, and `xpm_core`.
"""
