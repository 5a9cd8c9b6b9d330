"""Divide a large payload: write what is below its submitted tasks as a part, which other payloads share.

Owns: which configurations go into a part. workspace/payload_parts.py keeps the parts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xpm_core.language.graph.state import Home, state_of
from xpm_core.language.graph.walk import reachable
from xpm_core.language.parameters import paths
from xpm_core.language.parameters.schema import schema_of
from xpm_core.language.values.encoding import pack as packed
from xpm_core.wire.packer import Packer, referred, within_limit


def write_part(packer: Packer) -> bool:
    """Write a part with all that is below the submitted tasks of a payload.

    Each part is read on its own. The reader would make a local class once for each part, and get different classes.
    Therefore a payload with a local class is not divided.

    Args:
        packer: The packer of the payload; its `data` has been called.

    Returns:
        Whether a part was written.
    """
    below: dict[int, Any] = {}
    for task in reversed(packer.submitted()):
        if id(task) not in below:
            found = reachable(task, lambda each: id(each) not in below and packer.new(each), stand_ins=True)
            below.update((id(each), each) for _, each in found)
    if not below or any("local" in record for record in packer.records):
        return False
    PartPacker(packer, [config for config in packer.configs if id(config) in below]).write()
    return True


class PartPacker(Packer):
    """Writes a part of a payload.

    Args:
        whole: The packer of the payload.
        configs: The configurations of the part. All that they refer to is among them, or in a part already.
    """

    def __init__(self, whole: Packer, configs: list[Any]) -> None:
        self.whole = whole
        super().__init__(configs[-1], parts=whole.parts, configs=configs)
        self.ours, self.workspace = None, whole.workspace

    def generated_paths(self) -> dict[tuple[int, str], Path]:
        """The generated paths that do not lie in the directory of the job that is packed."""
        return {key: path for key, path in self.whole.paths.items() if not path.is_relative_to(paths.JOB)}

    def placed(self) -> list[list[Any]]:
        """Nothing. Only the payload knows its root, from which paths are seen."""
        return []

    def write(self) -> None:
        """Write the part to the workspace, and note in each configuration that the part holds it."""
        assert self.parts is not None, "only a packer with parts writes one"
        objects = [{**self.object(each), "below": self.below(each)} for each in self.configs]
        digest = self.parts.put(within_limit(packed(self.content(objects, {})), self.root))
        for config, found in zip(self.configs, objects, strict=True):
            state_of(config).home = Home(self.parts, digest, self.index[id(config)])
            if schema_of(config).generates and state_of(config).submitted is None:
                generated = {n: path for n, path in found["values"].items() if (id(config), n) in self.paths}
                self.parts.floating.append((config, generated))

    def below(self, config: Any) -> list[int]:
        return sorted({self.index[id(each)] for each in referred(config)})
