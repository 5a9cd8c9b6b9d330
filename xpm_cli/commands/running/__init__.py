"""The commands that run an experiment."""
