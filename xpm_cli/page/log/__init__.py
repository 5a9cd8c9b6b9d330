"""The log of a job, part by part: which bytes to read, what people see of them, and where to look for something.

Owns: bytes of a log as lines of HTML. Knows no request and no template. A log may have gigabytes, so no function reads
more than a fixed number of bytes, except a search, which is a process of its own with a limit of time.
May import `xpm_core.words`, and nothing of its neighbours.
"""
