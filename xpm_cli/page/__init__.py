"""The page: a workspace in the browser, served by a process of its own.

Owns: everything that is served: views, the stream of changes, safety, scripts and styles. It reads what the commands
read, and says it in the same words. starlette, uvicorn and jinja2 are imported in this room alone.
"""
