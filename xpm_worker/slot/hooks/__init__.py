"""Hooks of installed packages, as a slot calls them: before a job starts, and after its end was accepted.

Imports what stands beside it in xpm_worker.slot, but not the runner.
"""
