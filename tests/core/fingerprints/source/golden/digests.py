"""Prints the digests of the definitions of a file. Needs a Python, and nothing that is installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from xpm_core.fingerprints.source.definitions import definitions

found = definitions(Path(sys.argv[1]).read_bytes(), "sample.py")
print(json.dumps({name: [each.digest, each.shape] for name, each in found.names.items()}, indent=1, sort_keys=True))
