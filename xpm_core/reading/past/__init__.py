"""Past runs of an experiment: their tasks with tags, directories and parameters, from the files of the workspace.

Owns: with whose classes the configurations of old jobs are read. May import `wire` and `snapshot`.
"""
