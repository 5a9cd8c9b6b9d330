"""Tables of results: rows of jobs, folded over seeds and the like, compared, and written for papers.

May import the index, filters, words and the workspace. It is given the jobs: `reading` and `script` list them.
"""
