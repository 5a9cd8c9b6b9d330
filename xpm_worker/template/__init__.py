"""A template: a process that has imported packages, from which the processes of jobs are forked.

Loads neither redis nor rq. May import `job`, `protocol` and `system`.
"""
