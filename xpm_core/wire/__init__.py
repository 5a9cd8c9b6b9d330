"""A sealed task as bytes, and back: the form that goes through Redis and lies in job directories.

Processes of jobs load this room, so it imports neither redis nor rq. May import `config`, `language` and `job`.
"""
