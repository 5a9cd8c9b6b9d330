"""The code that a workspace keeps (xpm_core.snapshot): which of it somebody names, and which may go.

Owns: that no snapshot goes that a record, a job, or a script that is just taking it, needs.
"""
