"""Classes of configurations: how one is made from its body, and how its configurations get their values.

May import `graph`, `values` and `parameters`.
"""
