"""The project of a class: its name in every clone, its files, and where a script imports it from.

Processes of jobs load this room, so it imports neither redis nor rq. May import the modules directly in `xpm_core`.
"""
