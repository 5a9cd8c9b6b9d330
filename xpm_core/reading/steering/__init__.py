"""What can be steered: the queues of a workspace, and the workers that a name means.

It may import `workers`, `jobs` and `store`.
"""
