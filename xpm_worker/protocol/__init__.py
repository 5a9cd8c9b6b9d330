"""The messages between slot, starter, template and job, and the socket that carries them.

May import no other room of the worker.
"""
