"""Taking an experiment in from a file that somebody else has made.

Owns: that nothing is written before all of the file was read and checked, and that nothing half there is ever seen.
May import the rooms below `exchange`.
"""
