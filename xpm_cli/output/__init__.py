"""How jobs and workspaces look on a terminal, and as JSON.

May import `lookup`.
"""
