"""The views: one file for each. Each has `routes`, and templates of its name.

Owns: what a view reads of the desk, and what its template is told.
"""
