"""Removing what may go: one collection at a time, in an order in which a crash does no harm.

Owns: the collection, and the files that are renamed and deleted. May import the room above it, which decides what goes.
"""
