"""Who may see the page, who may act by it, and which files it hands out.

Owns: the session, the names of hosts, the origin of posts, the headers of all answers, and opening a job's files. The
middleware is plain ASGI, because Starlette's BaseHTTPMiddleware breaks streams.
"""
