"""What the operating system offers for starting, watching and ending processes.

Imports nothing heavy, because processes of jobs use it. May import no other room of the worker.
"""
