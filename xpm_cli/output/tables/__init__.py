"""Tables: many jobs, workers, queues, tokens or settings as lines, and their records for programs.

May import `lookup`, and the modules that lie directly in `output`.
"""
