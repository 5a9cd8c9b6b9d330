"""The graph: what needs what, by task and around a job; where it stands in a picture, and the picture.

Owns: how far it is looked. `layout` and `picture` read nothing.
"""
