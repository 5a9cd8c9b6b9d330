"""What is said of a job whose code is a snapshot: which file it misses, and that its folder is read-only.

Owns: the sentence that names the `include` line, and the names of files in tracebacks. Imports nothing heavy, because
processes of jobs use it.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from typing import Any

from xpm_core.labels import short
from xpm_core.project.moved_code import MovedCode, MovedFinder
from xpm_worker.protocol.messages import RunJob

_NO_NAME = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")

READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)


def code_of(job: RunJob) -> MovedCode:
    """Where the code of a job lies in this process."""
    return MovedCode(job.code)


def hint(job: RunJob, error: BaseException) -> str:
    """Say what an error has to do with the snapshot; empty if it has nothing to do with it.

    Args:
        job: The job.
        error: The error that ended it.

    Example:
        >>> hint(job, error)
        'lib/tables.py is in /home/me/digits, but not in the code of the job (snapshot 8c1f2e0). Write into ...'
    """
    code = code_of(job)
    for each in _chain(error) if code.folders else ():
        if isinstance(each, ImportError):
            for name in _modules(each):
                if file := live_file_of(name, code):
                    return _missing(job, code, file)
        for path in _paths(each, code):
            if isinstance(each, OSError) and each.errno in READ_ONLY:
                return f"{code.there(path)} is code of the job, which is read-only. Write into the job's directory."
            live = code.there(path)
            if not os.path.lexists(path) and os.path.exists(live):
                return _missing(job, code, live)
    return ""


def live_file_of(module: str, code: MovedCode) -> str:
    """The file that a module has in a root on this machine, if it is not in the snapshot; empty if there is none."""
    path: Sequence[str] | None = None
    name = ""
    for part in module.split("."):
        name = f"{name}.{part}".lstrip(".")
        spec = PathFinder.find_spec(name, path if path is not None else [code.there(each) for each in sys.path])
        if spec is None and path is None:
            spec = MovedFinder(code).found(name)
        if spec is None:
            return ""
        path = [code.there(each) for each in spec.submodule_search_locations or ()]
    origin = spec.origin if spec is not None and spec.has_location else (path or [""])[0]
    here = code.here(origin or "")
    return origin or "" if here != origin and not os.path.exists(here) else ""


def _missing(job: RunJob, code: MovedCode, live: str) -> str:
    """The sentence about a file or folder in a root that is not in the snapshot."""
    root = max((each for each in code.folders if live.startswith(f"{each.rstrip('/')}/")), key=len, default="/")
    relative = os.path.relpath(live, root)
    if os.path.basename(live) == "__init__.py":  # the name of a folder means all that lies in it
        relative = os.path.dirname(relative)
    return (
        f"{relative} is in {root}, but not in the code of the job (snapshot {short(job.snapshot)}). Write into "
        f'{root}/pyproject.toml: [tool.xpm.snapshot] include = ["{relative}"]. Then run the script again.'
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it came from."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def _modules(error: ImportError) -> Iterator[str]:
    """The modules that may be missing."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        yield error.name
    elif found := _NO_NAME.search(str(error)):
        yield f"{found[2]}.{found[1]}"


def _paths(error: BaseException, code: MovedCode) -> Iterator[str]:
    """The paths in the snapshot's folder that an error names."""
    name: Any = error.filename if isinstance(error, OSError) else None
    if isinstance(name, str | bytes):
        path = os.path.abspath(os.fsdecode(name))
        if code.holds(path):
            yield path
            return
    text = _text(error)
    for folder in dict.fromkeys(code.folders.values()):
        if found := re.search(re.escape(folder) + r"/[^'\"\n]*", text):
            yield os.path.normpath(found[0])


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # the user's own __str__ failed
        return ""


# -- files in tracebacks -----------------------------------------------------------------------------------------------


def placed(summary: dict[str, Any], code: MovedCode) -> dict[str, Any]:
    """The summary of an error (failure.py) with each file of the snapshot named by where it was for the script.

    Example:
        >>> placed(failure.from_error(error), code_of(job))["file"]
        '/home/me/digits/train.py'
    """
    if not code.folders:
        return summary
    frames = [_placed(frame, code) for frame in summary.get("frames", ())]
    return {**_placed(summary, code), "frames": frames}


def _placed(fields: dict[str, Any], code: MovedCode) -> dict[str, Any]:
    file = fields.get("file")
    return {**fields, "file": code.there(file)} if isinstance(file, str) else fields
