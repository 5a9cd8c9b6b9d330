"""What has run where, what jobs waited for, and what needs what: the facts of the timeline and of the graph.

The cheapest true sources, in this order: the events that the server keeps (each execution, with retries and lost
leases; the last 200,000 events), the workers' files of the index (each end of a job, however long ago), and the running
jobs. No job's directory is opened.

What is not known: before the oldest event, attempts that were retried, handed back or lost, because the index has only
ends of jobs; and the token units that other workspaces held.

Owns: reading these sources on, and bringing them together. May import `drawing.lanes`, for its records.
"""
