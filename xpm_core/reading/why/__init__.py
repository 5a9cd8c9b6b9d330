"""Why jobs do not run: the facts, and which of the reasons of `words/reasons.py` hold.

May import the readers of `xpm_core.reading`, and what lies below.
"""
