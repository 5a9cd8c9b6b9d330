"""The commands that run an experiment, or another program on one."""
