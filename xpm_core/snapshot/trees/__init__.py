"""Trees: copies of snapshots, from which jobs import. A machine keeps one copy of each snapshot, on a local disk.

    <folder of this machine>/code/<digest>/<tree>/...    the files of a snapshot, read-only
    <folder of this machine>/code/<digest>.json          notes: how each file was when its content was last checked

The folder of this machine is `XPM_SNAPSHOT_FOLDER`, else `/tmp/xpm-<uid>`. Files are copied and not linked to the
workspace's objects, because a job could write into an object through a link. Nothing here is needed: what is missing
or was changed is copied anew.

Owns: these files. Imports only what stands beside it in xpm_core.snapshot, and what stands below.
"""
