"""How each side reads its command line: it calls the function of that name, and prints its answer as JSON."""

import json
import sys
from collections.abc import Callable
from typing import Any


def main(*functions: Callable[..., dict[str, Any]]) -> None:
    """Be a side: `python with_rq.py drain '{"jobs": 100}'`."""
    known = {function.__name__: function for function in functions}
    answer = known[sys.argv[1]](**json.loads(sys.argv[2]))
    print(json.dumps(answer), flush=True)
