"""The code of jobs: the project's files as they were when a task was submitted, kept in the workspace.

    <workspace>/code/objects/ab/cdef...    the content of a file, by its SHA-256
    <workspace>/code/snapshots/<digest>    a manifest: which files a snapshot has, by path, mode and digest
    <workspace>/code/provenance/<digest>   how tasks came to be submitted: script, arguments, git, packages
    <workspace>/code/packages/<digest>     the installed packages of an environment
    <workspace>/code/ran/<digest>          what jobs ran: functions, modules, files (xpm_core.fingerprints)

A job names its snapshot and its provenance; both are signed with the rest of it. Every file is named by the SHA-256 of
its content, so it never changes, and a damaged one is noticed.
"""
