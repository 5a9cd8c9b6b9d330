"""The process of a job: it stands by, enters the job's directory, calls `execute`, and reports how that went.

Loads neither redis nor rq. May import `protocol` and `system`.
"""
