"""Text for people: times and lines, allowed names, the commands that messages propose, why jobs do not run.

May import the modules that lie directly in `xpm_core`.
"""
