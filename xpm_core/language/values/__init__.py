"""What a parameter can hold: kinds that check values, and the canonical bytes of a value.

May import `graph`.
"""
