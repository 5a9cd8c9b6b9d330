"""The identity of configurations, for code that needs no experiment.

These are the public names of the room `xpm_core.language.identity`. Their home here does not move.

Example:
    >>> from xpm_core.identity import seal
    >>> seal(Learn.C(lr=0.1)).hex()[:7]
    '3f9ac2e'
"""

from xpm_core.language.identity.digest import counted_names, partial_identity, task_id
from xpm_core.language.identity.seal import class_origins, freeze, missing, seal

__all__ = ["class_origins", "counted_names", "freeze", "missing", "partial_identity", "seal", "task_id"]
