"""What a job's own code can ask and report: its time, its tokens, its progress, its outputs.

Processes of jobs load this room, so it imports neither redis nor rq. May import `workspace`, `language.graph`.
"""
