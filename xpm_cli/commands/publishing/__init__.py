"""The commands with which results get into a paper. They change nothing."""
