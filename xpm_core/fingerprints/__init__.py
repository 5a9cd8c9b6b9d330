"""What the code of a job was, definition by definition: what it reached, what it ran, and whether that has changed.

No part of an identity. May import `snapshot` and what stands below it; never imports the user's code.
"""
