"""What a job reports of itself for tables and curves: results, metrics at each step, and files.

None of it can fail or slow a job. May import the workspace and `xpm_core.job`; nothing heavy, because job processes
use it.
"""
