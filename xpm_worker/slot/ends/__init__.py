"""The ends of jobs: what a slot reports of a job that has ended, or that it hands back.

Imports what stands beside it in xpm_worker.slot, but not the runner.
"""
