"""What the page knows of its workspace: one reading for all requests, kept up to date by the events.

Owns: that a request costs no more than what it shows, however many jobs there are.
"""
