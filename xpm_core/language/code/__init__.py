"""The user's code: what is recorded of a class, how another process finds it, and how that makes a local class again.

A local class is one that a function defines. May import `graph`, `values` and `parameters`.
"""
