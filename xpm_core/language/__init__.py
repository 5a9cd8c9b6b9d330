"""The language of scripts: from the body of a class to the digest of a configuration.

Its rooms, from the ground: `graph`, `values`, `parameters`, then `classes` and `code`, then `identity`, then
`dict_form`. Each may import the rooms before it, `project`, `tracebacks`, and the modules directly in `xpm_core`. The
language knows no server, no store and no experiment. Processes of jobs load it, so it imports neither redis nor rq.
"""
