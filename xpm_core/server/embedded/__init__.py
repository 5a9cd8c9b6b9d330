"""The server that a workspace has of its own: starting it, sharing it, ending it.

May import the other modules of `server`.
"""
