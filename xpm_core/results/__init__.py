"""What jobs have reported, as tables with honest intervals: from many jobs to the number in a paper.

`statistics` computes: means, intervals, comparisons, aggregates. It knows nothing of jobs.
"""
