"""A job in the foreground of a terminal: the folder it works in, its process, and the debugger.

No worker and no server takes part. Its process loads this room, so it imports neither redis nor rq. May import `wire`,
`job`, `workspace`.
"""
