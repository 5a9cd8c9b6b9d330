"""The fork server, and the starter of each slot: the processes that start and guard jobs.

Loads neither redis nor rq. May import `template`, `job`, `protocol` and `system`.
"""
