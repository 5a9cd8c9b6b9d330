"""Jobs that are submitted until an interval is narrow: `xp.until("accuracy", width=0.01, make=...)`.

May import `results`, `reading` and `follow`.
"""
