"""Looking at a workspace without changing anything: its jobs, experiments, tokens, workers and events.

May import `store`, for the names of keys and the form of replies, and what lies below.
"""
