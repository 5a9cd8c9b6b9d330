"""What a waiting script shows, its log, and what it says when it ends.

May import `follow` and what lies below.
"""
