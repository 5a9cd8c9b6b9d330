"""One run of an experiment's script: it submits jobs, follows them and shows them.

Its rooms: `follow`, then `submit`, `live` and `show`. May import every room of `xpm_core` but `click`.
"""
