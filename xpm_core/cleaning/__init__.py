"""What a workspace can do without: what may be removed, how large it is, and removing it.

Owns: that nothing goes that a job which is not settled, or a run that is kept, needs. May import `reading`, `index`,
`store` and the rooms below. `xpm gc` shows what this room finds.
"""
