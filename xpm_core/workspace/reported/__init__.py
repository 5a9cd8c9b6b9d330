"""What a job has reported of itself, as its directory keeps it: the forms of these files, and reading them.

Imports nothing heavy: job processes use it.
"""
