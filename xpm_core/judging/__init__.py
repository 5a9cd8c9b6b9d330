"""What has become of the code of jobs that are done: whether it changed since, and whether that matters to them.

May import the fingerprints, payloads, snapshots and the workspace. Speaks to no server, and imports no user's code.
"""
