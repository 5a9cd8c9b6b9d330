"""When jobs may be done: by how long jobs of their classes took, and by the workers and tokens that there are.

Owns: the estimate. Who knows the jobs, the workers and the tokens hands them in: nothing is read here but the index.
"""
