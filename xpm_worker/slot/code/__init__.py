"""The code of a job, before the job starts: its tree is opened, while its lease is renewed and orders are obeyed.

Imports what stands beside it in xpm_worker.slot, but not the runner.
"""
