"""Values of parameters: kinds, which check them, and their canonical bytes.

May import `graph`.
"""
