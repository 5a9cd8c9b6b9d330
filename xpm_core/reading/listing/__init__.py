"""Lists of jobs: what the index and the server know of each, filtered, sorted and cut.

A list is made so that little is read: the index is on this machine, the server sends only the jobs that are not done,
and all facts of a job are asked for only if they are shown or decide whether it is.

Owns: the rows, and which job a name means. May import the index, the filters, and the readers of `xpm_core.reading`.
"""
