"""What a script says when it ends, and its log.

May import `follow` and what lies below.
"""
