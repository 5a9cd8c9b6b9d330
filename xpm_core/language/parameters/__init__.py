"""The schema of a class: its parameters, their types, bounds, defaults and generated paths.

May import `graph` and `values`.
"""
