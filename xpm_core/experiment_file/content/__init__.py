"""What an experiment's YAML file says: its keys, its bases, words of the command line, grids, configurations.

Imports no user code. May import the language.
"""
