"""Configurations from bytes: the reading half of payloads. What stands in them is told in xpm_core.wire.payload."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xpm_core.errors import PayloadError, TaskImportError, XpmError
from xpm_core.job import script_arguments
from xpm_core.language.graph.state import state
from xpm_core.language.graph.walk import title
from xpm_core.language.identity.digest import NOTHING, default, digest_all, encode
from xpm_core.language.identity.seal import freeze
from xpm_core.language.values.decoding import Decoder
from xpm_core.limits import LARGEST_PAYLOAD
from xpm_core.project.import_path import follow
from xpm_core.wire.form import problem_of
from xpm_core.wire.packer import VERSION, WITH_PARTS
from xpm_core.workspace.payload_parts import Parts
from xpm_core.wire.restorer import CHANGED, Node, Restorer, Site, problem

UNREADABLE = (
    LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError, RecursionError, MemoryError,
    XpmError,
)  # fmt: skip
"""What forged data may come to while they are read."""


class Loader:
    """Reads a configuration and all that it refers to.

    Args:
        workspace: Where the workspace is on this machine.
        jobpath: The job's directory on this machine.
        allow: Patterns of the modules that may be imported; empty for all.
    """

    def __init__(self, workspace: Path, jobpath: Path, allow: Sequence[str] = ()) -> None:
        self.site = Site(workspace, jobpath, allow, {}, {})
        self.files = Parts(workspace)
        self.parts: dict[bytes, Restorer] = {}

    def configuration(self, data: bytes, identity: str) -> tuple[Any, dict[str, Any]]:
        """The sealed configuration that was written, and its tags.

        Raises:
            TaskImportError: A class cannot be imported.
            PayloadError: The data are malformed, or not those of that identity; or a part of them is not there.
        """
        if len(data) > LARGEST_PAYLOAD:
            raise problem(f"it has {len(data)} bytes, {LARGEST_PAYLOAD} are allowed", "Keep large data in files.")
        try:
            return self.read(opened(data), identity)
        except (PayloadError, TaskImportError):
            raise
        except UNREADABLE as error:
            raise problem(f"it cannot be read ({type(error).__name__}: {error})") from error

    def read(self, content: dict[str, Any], identity: str) -> tuple[Any, dict[str, Any]]:
        """The same of what was opened."""
        root = Restorer(content, self.site)
        follow(root.import_path)
        if "argv" in content:
            sys.argv = script_arguments.unpack(content["argv"], self.site.workspace)
        placed = {(part, number): paths for part, number, paths in content.get("placed", ())}
        for node in self.ordered(root.imports):
            part, number = node
            config = self.part(part).restore(number)
            root.put(config, placed.pop(node, {}))
        if placed:
            raise problem("it has paths for configurations that it does not refer to")
        for number in root.objects:
            config = root.restore(number)
        return self.checked(config, identity), content["tags"]

    def part(self, digest: bytes) -> Restorer:
        """A part, opened once."""
        if digest not in self.parts:
            self.parts[digest] = Restorer(opened(self.files.get(digest)), self.site, digest)
        return self.parts[digest]

    def ordered(self, wanted: Sequence[Node]) -> list[Node]:
        """The objects of parts that some refer to, those included, the inner ones first."""
        # No recursion: a long chain is nested deeper than the stack goes. No circle: no part can name its own digest.
        found: list[Node] = []
        seen: set[Node] = set()
        entered: list[Node] = []
        waiting = [iter(wanted)]
        while waiting:
            node = next((each for each in waiting[-1] if each not in seen), None)
            if node is not None:
                seen.add(node)
                entered.append(node)
                waiting.append(iter(self.part(node[0]).below(node[1])))
                continue
            waiting.pop()
            if waiting:
                found.append(entered.pop())
        return found

    def checked(self, root: Any, identity: str) -> Any:
        """The configuration read last, sealed, if it has that identity."""
        configs = list(self.site.found.values())
        digest_all([(type(config).__name__, config) for config in configs])
        if state(root).identity != identity:
            raise problem(f"its identity is {state(root).identity}, not {identity}", CHANGED)
        for config in configs:
            check_left_out(config)
            freeze(config)
        return root


def opened(data: bytes) -> dict[str, Any]:
    """What was written, of a form that is known to be right.

    Raises:
        PayloadError: It is malformed, or of a later form.
    """
    content = Decoder(refused, path=refused, enum=refused)(data)
    version = content.get("version") if isinstance(content, dict) else None
    if isinstance(version, int) and not VERSION <= version <= WITH_PARTS:
        what = f"it has version {version!r}, and this release reads {VERSION} to {WITH_PARTS}"
        raise problem(what, "Use one release.")
    if (wrong := problem_of(content)) is not None:
        raise problem(f"it cannot be read ({wrong})")
    return content  # type: ignore[no-any-return]  # it has the form of one


def refused(*content: Any) -> Any:
    """Refuse a value where only the form of a payload is read."""
    raise ValueError("a value out of its place")


def check_left_out(config: Any) -> None:
    """Refuse a value that did not count because it was the default, and is not the default."""
    own = state(config)
    for parameter in type(config).__xpm_schema__.counted:
        name = parameter.name
        if parameter.ignore_default and name not in (own.counted or ()) and own.stand_in is None:
            written = encode(config.__dict__[name])
            if written not in (NOTHING, default(parameter)):
                raise problem(f"{title(config)}.{name} is no longer the default, and did not count", CHANGED)
