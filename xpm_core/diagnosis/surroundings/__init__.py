"""What jobs need to run: the program, the server, the file system of the workspace, and the workers.

May import the modules of `diagnosis` that are no room.
"""
