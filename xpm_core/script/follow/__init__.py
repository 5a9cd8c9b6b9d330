"""What a script knows of its jobs: the jobs of its run, events, callbacks, outputs, outages of the server.

May import `store`, `config` and what lies below.
"""
