"""The index: which jobs each experiment of a workspace has, with what parameters, and how each of them ended.

    experiments/<name>/index/<writer>.jsonl     a line for each job that a run of the script has submitted
    .xpm/index/<writer>.jsonl                   a line for each end of a job that a worker has reported

The job directories remain the record. The index makes them quick to list: it can be made again from them.

Owns: these files. May import the language and the workspace, and nothing that speaks Redis.
"""
