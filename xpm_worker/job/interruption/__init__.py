"""How the code of a job is ended: SIGTERM raises an exception, again and again until the code deals with it.

Imports nothing heavy, because processes of jobs use it. May import no other room of the worker.
"""
