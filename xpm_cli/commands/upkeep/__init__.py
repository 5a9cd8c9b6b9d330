"""The commands that keep a workspace in order: what it holds, its faults, its server, its settings."""
