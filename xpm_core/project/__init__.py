"""The project of a class: its name, the same in every clone; its files; its settings; the import path of a script.

Processes of jobs load this room, so it imports neither redis nor rq. May import the modules directly in `xpm_core`.
"""
