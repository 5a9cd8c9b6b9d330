"""The project of a class: its name, which is the same in every clone; its files; and the script's import path.

Processes of jobs load this room, so it imports neither redis nor rq. May import the modules directly in `xpm_core`.
"""
