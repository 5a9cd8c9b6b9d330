"""Facts for records: how a script was started, which packages are installed, and what machine this is.

Owns: finding them out, and hiding secrets in them. What is found goes into the documents of `xpm_core.snapshot`, and
into the records of executions. May import what stands below `xpm_core.snapshot`. Processes of jobs do not load it.
"""
