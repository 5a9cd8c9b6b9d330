"""Sheets: all that is known of one job, of a workspace, or of why jobs wait, as lines and as JSON.

May import `tables`, `lookup`, and the modules that lie directly in `output`.
"""
