"""What is kept of jobs, and must agree: directories, markers, links, the index, the server's lists, and RQ's view.

May import the modules of `diagnosis` that are no room.
"""
