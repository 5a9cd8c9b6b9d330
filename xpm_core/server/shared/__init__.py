"""The server of a workspace for several machines: starting it, stopping it, saying how it stands.

It has the data of the workspace's embedded server. May import `embedded` and the other modules of `server`.
"""
