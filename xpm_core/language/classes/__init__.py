"""How a class of configurations is made from its body, and how its attributes are assigned.

May import `graph`, `values` and `parameters`.
"""
