"""Parameters: how a class declares them, and their types, bounds, defaults and generated paths.

May import `graph` and `values`.
"""
