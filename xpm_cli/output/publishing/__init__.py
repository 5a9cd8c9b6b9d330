"""What is written of results: tables of them, where a number comes from, and what a paper must state.

May import `lookup`, `output.code`, and the modules that lie directly in `output`.
"""
