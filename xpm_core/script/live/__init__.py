"""What a script shows of its run while it waits: on a terminal, in a notebook, in a log.

May import `follow` and what lies below.
"""
