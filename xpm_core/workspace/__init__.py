"""Files on disk: a workspace, the directories of its jobs and experiments, and which of their records to believe.

Processes of jobs load this room, so it imports neither redis nor rq. May import `project` and `words`.
"""
