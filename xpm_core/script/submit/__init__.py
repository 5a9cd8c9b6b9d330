"""From a configuration to a job on its way to Redis.

May import `follow`, `wire`, `store` and what lies below.
"""
