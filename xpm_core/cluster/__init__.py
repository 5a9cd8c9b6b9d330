"""Where jobs can run: what Slurm says of an allocation.

May import the modules that lie directly in `xpm_core`.
"""
