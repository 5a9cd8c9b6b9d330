"""What jobs have reported, as tables with honest intervals: from many jobs to the number in a paper.

`statistics` computes: means, intervals, comparisons, aggregates. It knows nothing of jobs. `folding` folds a table over
seeds and the like. May import the index, filters, words and the workspace. It is given the jobs: `reading` and `script`
list them.
"""
