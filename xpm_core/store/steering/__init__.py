"""Steering from afar: pauses of queues, and orders to workers.

Owns: the arguments of their scripts. It may import the rest of `store`, which does not import it.
"""
