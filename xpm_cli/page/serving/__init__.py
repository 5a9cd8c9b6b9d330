"""Where the page listens, and the process that serves it from its start to its end.

Owns: sockets and ports, the files of TLS, what is printed, signals. May import `safety` and `application`.
"""
