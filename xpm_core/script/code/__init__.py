"""The code of a run's tasks: which snapshot they get, and what becomes of the snapshots of jobs that are there.

May import the snapshots, the store's records, and words. Speaks to no server.
"""
