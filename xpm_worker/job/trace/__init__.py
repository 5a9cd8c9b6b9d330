"""What the process of a job runs: functions that it enters, modules, files that it reads, processes that it starts.

None of it may fail a job, hold an object of the job's code, or cost what anybody would notice. May import `protocol`.
"""
