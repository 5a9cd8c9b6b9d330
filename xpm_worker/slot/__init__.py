"""A slot: the process of one RQ worker. It claims jobs, hands each to its starter, and reports to Redis.

The only room that knows RQ. May import `protocol` and `system`.
"""
