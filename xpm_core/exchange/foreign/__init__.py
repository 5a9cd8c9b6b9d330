"""Runs that xpm has not made, from tables and folders that other programs write: CSV, Hydra, Weights & Biases.

Owns: how such files are read, and which of their columns are parameters and results. All of a source is read before
anything is written. May import `results` and the rooms below it. Nothing in a source is run or unpickled.
"""
