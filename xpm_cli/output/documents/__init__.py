"""The documents of JSON that commands print with `--json`. The page answers with the same ones.

Owns: what stands in each document (docs/reference/json.md). May import `xpm_cli.lookup`, and the rooms of this folder.
"""
