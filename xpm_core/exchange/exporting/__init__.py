"""Writing an experiment into a file.

Owns: which jobs, files and code go into it, and what must not. May import the rooms below `exchange`.
"""
