"""Names that shells complete: of the jobs, tags, parameters, tasks and experiments of a workspace.

Whoever presses Tab waits for it. So it asks no server, and reads no index of many jobs: it has a file of its own on
each machine. May import `index`.
"""
