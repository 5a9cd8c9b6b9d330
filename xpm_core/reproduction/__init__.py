"""A finished job again, with the code that it ran with: what is needed to run it, what is not pinned, and what differs.

The command `xpm reproduce` uses it. Nothing is written into the directories of the workspace. May import `foreground`,
`snapshot` and `workspace`.
"""
