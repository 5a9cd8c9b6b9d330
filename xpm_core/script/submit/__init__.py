"""From a configuration to a job that is submitted to Redis.

May import `follow`, `wire`, `store` and what lies below.
"""
