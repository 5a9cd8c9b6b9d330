"""What is shown of the code of jobs: a few lines in the sheet of one job, and the differences between two.

May import `lookup`, and the modules that lie directly in `output`.
"""
