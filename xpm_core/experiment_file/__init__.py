"""Experiments from YAML files: what `xpm run` does with one.

A file names a workspace, an experiment, a Python function, and values of the configuration that the function takes. All
of it is read and checked before anything begins. May import every other room of xpm_core but `click`.
"""
