"""A slot: the process of one RQ worker. It claims jobs, sends each to its starter, and reports to Redis.

RQ, the store and messages call each slot a worker. The only room that knows RQ. May import `job` (summaries of
failures), `protocol` and `system`.
"""
