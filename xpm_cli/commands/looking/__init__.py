"""The commands that look at a workspace, and change nothing."""
