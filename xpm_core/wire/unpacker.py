"""Read the bytes of a payload and its parts; xpm_core.wire.payload says what stands in them.

Owns: the order in which a payload is read, and the checks before and after. restorer.py makes the configurations.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xpm_core.errors import PayloadError, TaskImportError, XpmError
from xpm_core.job import script_arguments
from xpm_core.language.graph.state import state_of
from xpm_core.language.graph.walk import path_root
from xpm_core.language.identity.digest import NOT_COUNTED, default_bytes, digest_all, encode
from xpm_core.language.identity.seal import freeze
from xpm_core.language.values.decoding import Decoder
from xpm_core.limits import LARGEST_PAYLOAD
from xpm_core.project.import_path import follow
from xpm_core.project.moved_code import UNMOVED, MovedCode
from xpm_core.wire.form import VERSION, WITH_PARTS, form_problem
from xpm_core.wire.restorer import CHANGED, PartObject, ReadContext, Restorer, payload_error
from xpm_core.workspace.payload_parts import Parts

UNREADABLE = (
    LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError, RecursionError, MemoryError,
    XpmError,
)  # fmt: skip
"""The errors that forged data can raise while they are read."""


class Unpacker:
    """Reads a configuration and all that it refers to.

    Args:
        workspace: Where the workspace is on this machine.
        jobpath: The job's directory on this machine.
        allow: Patterns of the modules that may be imported; empty for all.
        code: Where the code of the script lies now.
        by_name: Whether to find modules by their names alone, in the folders that this process imports from. Then
            neither these folders nor `sys.argv` are changed, and no file is executed that the payload names.
    """

    def __init__(
        self,
        workspace: Path,
        jobpath: Path,
        allow: Sequence[str] = (),
        code: MovedCode = UNMOVED,
        *,
        by_name: bool = False,
    ) -> None:
        self.site = ReadContext(workspace, jobpath, allow, code, {}, {}, by_name)
        self.files = Parts(workspace)
        self.parts: dict[bytes, Restorer] = {}

    def configuration(self, data: bytes, identity: str) -> tuple[Any, dict[str, Any]]:
        """The sealed configuration that was written, and its tags.

        Raises:
            TaskImportError: A class cannot be imported.
            PayloadError: The data are malformed, or have another identity; or one of their parts does not exist.
        """
        if len(data) > LARGEST_PAYLOAD:
            raise payload_error(f"it has {len(data)} bytes, {LARGEST_PAYLOAD} are allowed", "Keep large data in files.")
        try:
            return self.read(opened(data), identity)
        except (PayloadError, TaskImportError):
            raise
        except UNREADABLE as error:
            raise payload_error(f"it cannot be read ({type(error).__name__}: {error})") from error

    def read(self, content: dict[str, Any], identity: str) -> tuple[Any, dict[str, Any]]:
        """The configuration and the tags of a payload that was opened."""
        root = Restorer(content, self.site)
        if not self.site.by_name:
            self.become_script(root, content)
        placed = {(part, number): paths for part, number, paths in content.get("placed", ())}
        for node in self.ordered(root.imports):
            part, number = node
            config = self.part(part).restore(number)
            root.put(config, placed.pop(node, {}))
        if placed:
            raise payload_error("it has paths for configurations that it does not refer to")
        for number in root.objects:
            config = root.restore(number)
        return self.checked(config, identity), content["tags"]

    def become_script(self, root: Restorer, content: dict[str, Any]) -> None:
        """Let this process import as the script did, and have its arguments."""
        follow(root.import_path, self.site.code)
        if "argv" in content:
            sys.argv = script_arguments.unpack(content["argv"], self.site.workspace)
            sys.argv[:1] = map(self.site.code.here, sys.argv[:1])  # a job may look for files beside the script

    def part(self, digest: bytes) -> Restorer:
        """A part, opened once."""
        if digest not in self.parts:
            self.parts[digest] = Restorer(opened(self.files.get(digest)), self.site, digest)
        return self.parts[digest]

    def ordered(self, wanted: Sequence[PartObject]) -> list[PartObject]:
        """The objects of parts that are wanted, and all that these refer to, the inner ones first."""
        # This does not recurse, because a long chain is nested deeper than the stack goes. There is no circle, because
        # no part can name its own digest.
        found: list[PartObject] = []
        seen: set[PartObject] = set()
        entered: list[PartObject] = []
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
        """The configuration that was read last, sealed, if it has that identity."""
        configs = list(self.site.found.values())
        digest_all([(type(config).__name__, config) for config in configs])
        if state_of(root).identity != identity:
            raise payload_error(f"its identity is {state_of(root).identity}, not {identity}", CHANGED)
        for config in configs:
            check_left_out(config)
            freeze(config)
        return root


def opened(data: bytes) -> dict[str, Any]:
    """The content of a payload or part, checked to have the right form.

    Raises:
        PayloadError: It is malformed, or has the form of a later release.
    """
    content = Decoder(refuse_value, path=refuse_value, enum=refuse_value)(data)
    version = content.get("version") if isinstance(content, dict) else None
    if isinstance(version, int) and not VERSION <= version <= WITH_PARTS:
        what = f"it has version {version!r}, and this release reads {VERSION} to {WITH_PARTS}"
        raise payload_error(what, "Use one release.")
    if (wrong := form_problem(content)) is not None:
        raise payload_error(f"it cannot be read ({wrong})")
    return content  # type: ignore[no-any-return]  # it has the form of one


def refuse_value(*content: Any) -> Any:
    """Refuse an encoded value. The form of a payload holds values only inside of bytes, which are decoded later."""
    raise ValueError("a value out of its place")


def check_left_out(config: Any) -> None:
    """Refuse a value that was left out of the identity as the default, if it is not the default here."""
    own = state_of(config)
    for parameter in type(config).__xpm_schema__.counted:
        name = parameter.name
        if parameter.ignore_default and name not in (own.counted or ()) and own.stand_in is None:
            written = encode(config.__dict__[name])
            if written not in (NOT_COUNTED, default_bytes(parameter)):
                raise payload_error(f"{path_root(config)}.{name} is no longer the default, and did not count", CHANGED)
