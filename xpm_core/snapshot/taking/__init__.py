"""Taking a snapshot: from the classes of tasks to files that are kept in the workspace.

Owns: which roots the classes have, which of their files belong to a snapshot, reading these while people work on them,
and what is said about it. `files` finds them. What a snapshot is, and where it lies, is defined above.
"""
