"""The jobs of a workspace in Redis: one method of `Store` for each transition, and the Lua script that does it.

May import `server`, `workspace`, `project`, `words`, and the modules that lie directly in `xpm_core`.
"""
