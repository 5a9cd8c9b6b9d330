"""`/api/…`: the documents that the commands print with `--json`, from the same functions, in the same schemas.

Owns: the URLs, their parameters, and errors as JSON. May import the documents of `xpm_cli.output`, and the desk.
"""
