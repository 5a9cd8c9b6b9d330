"""The commands that change something: jobs, or what a workspace has recorded."""
