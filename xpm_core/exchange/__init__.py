"""An experiment in a file: writing it, so that a colleague can read it with or without xpm, and taking it in again.

Owns: the form of such a file, and what is believed of one that somebody else has made. May import `wire`, `cleaning`,
`judging`, `index`, `snapshot` and the rooms below. It imports no class of a task, and speaks to no server.
"""
