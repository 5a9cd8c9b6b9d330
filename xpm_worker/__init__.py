"""The daemon `xpm-worker`: it runs the jobs of a workspace. Its processes, and what starts what:

    xpm-worker      daemon       watches its slots, the fork server, the workspace and an embedded Redis server
    ├─ slot         one each     is one RQ worker: claims jobs, renews leases, reports to Redis
    └─ fork server  one          a clean interpreter that never saw Redis; forks the starters
       └─ starter   one a slot   runs one job at a time for its slot, and guards the job's lease
          ├─ template  a few     has imported packages; forks standbys, which become children of the starter
          └─ standby   one each  waits for a job, and then is the process of this job

If a process dies, those that need it are killed: a slot ends with the daemon, a starter with its slot, and a job with
its starter. The daemon starts slots and the fork server again. Each room is one of these processes; `protocol` and
`system` serve all of them. Processes of jobs import parts of this package, so this file imports nothing.
"""
