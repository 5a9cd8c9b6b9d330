"""How things look on a terminal, and as JSON.

May import neither `commands` nor `lookup`.
"""
