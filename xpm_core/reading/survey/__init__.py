"""The survey of a workspace: how it stands as a whole, in three round trips, however many jobs it has.

Owns: what is read for it, and how failures are grouped. May import the readers of `xpm_core.reading`, for their
records.
"""
