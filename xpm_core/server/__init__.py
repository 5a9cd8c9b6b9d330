"""Finding a Redis server and checking that it is fit. `embedded` starts one for a workspace.

Knows nothing of jobs. May import `workspace`, `tracebacks`, the rooms below them, and redis.
"""
