"""Files on disk: a workspace, the directories of its jobs and experiments, and which records in them count.

Processes of jobs load this room, so it imports neither redis nor rq. May import `project` and `words`.
"""
