"""The user's code: what is recorded of a class, and how another process finds it or makes it again.

May import `graph`, `values` and `parameters`.
"""
