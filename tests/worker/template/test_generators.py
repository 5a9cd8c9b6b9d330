"""Generators of random numbers that packages make: each job draws the numbers that it would draw without templates."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.daemons import Crew

pytestmark = pytest.mark.redis

JOBS = 4

PACKAGE = """
import functools, random, secrets
import numpy as np
from numpy.random import PCG64, Generator, MT19937, Philox, RandomState, SeedSequence, default_rng

class Holder:
    __slots__ = ("generator",)
    def __init__(self, generator):
        self.generator = generator

class Own(random.Random):
    "As Faker has."

@functools.lru_cache
def cached():
    return default_rng()

spent = RandomState()
spent.normal()  # of which it keeps another one
used = random.Random()
used.gauss(0, 1)
again, changed = random.Random(3), random.Random()
again.seed()
changed.seed(4)
restored = random.Random()
restored.setstate(random.Random(5).getstate())
large = default_rng(0x87351080e25cb0fad77a44a3be03b491)

FRESH = {
    "random": random.Random().random, "own": Own().random, "used": lambda: used.gauss(0, 1), "again": again.random,
    "rng": default_rng().random, "cached": cached().random, "held": Holder(default_rng()).generator.random,
    "philox": Generator(Philox()).random, "spawned": default_rng().spawn(1)[0].random,
    "twister": lambda twister=MT19937(): twister.random_raw(), "state": RandomState().random, "spent": spent.normal,
    "spawns": lambda rng=default_rng(): rng.spawn(1)[0].random(),
    "sequence": lambda sequence=SeedSequence(): int(sequence.spawn(1)[0].generate_state(1)[0]),
    "chosen": default_rng(secrets.randbits(128)).random, "global": random.random, "numpy": np.random.random,
}
GIVEN = {
    "random": random.Random(0).random, "own": Own(0).random, "changed": changed.random, "restored": restored.random,
    "rng": default_rng(42).random, "large": large.random, "list": default_rng([1, 2]).random,
    "philox": Generator(Philox(key=7)).random, "spawned": default_rng(42).spawn(2)[1].random,
    "state": RandomState(7).random, "pcg": Generator(PCG64(SeedSequence(5))).random,
}
"""

SEEDED = """
import random
import numpy as np

class Random(random.Random):
    pass

random.seed(3)
random.random()
np.random.seed(5)
FRESH = {"new": Random().random, "secure": random.SystemRandom().random}
GIVEN = {"random": random.random, "numpy": np.random.random}
"""

TASKS = """
import fake_draws
import json
from pathlib import Path
from xpm_core.config import Param, Task

class Draw(Task):
    number: Param[int]

    def execute(self) -> None:
        both = fake_draws.FRESH, fake_draws.GIVEN
        Path("drawn.json").write_text(json.dumps([{name: draw() for name, draw in each.items()} for each in both]))
"""

TELL = "import fake_draws, json; print(json.dumps({name: draw() for name, draw in fake_draws.GIVEN.items()}))"


def drawn(crew: Crew, written: Path, installed: Path) -> list[Any]:
    """What jobs draw that are forked from a template of the package `fake_draws`; each what is fresh, and what not."""
    (written / "drawing_tasks.py").write_text(TASKS)
    module = importlib.import_module("drawing_tasks")
    crew.started("--pythonpath", str(installed))
    tasks = [module.Draw.C(number=number) for number in range(JOBS)]
    for task in tasks:
        crew.submit(task)
        crew.wait(task)
    return [json.loads((crew.directory(task).path / "drawn.json").read_text()) for task in tasks]


def check(found: list[Any], installed: Path) -> None:
    """What nobody gave a seed differs in all jobs, and what was given one is what it is in a plain process."""
    repeated = {name for name in found[0][0] if len({each[0][name] for each in found}) < JOBS}
    assert repeated == set()
    plain = subprocess.run([sys.executable, "-c", TELL], cwd=installed, capture_output=True, check=True, timeout=120)
    assert [each[1] for each in found] == [json.loads(plain.stdout)] * JOBS


RESTORED = """
import random
import numpy as np
from numpy.random import RandomState

before, numpy_before = random.getstate(), np.random.get_state()
random.seed(3); np.random.seed(5)
random.setstate(before); np.random.set_state(numpy_before)
FRESH, GIVEN = {"random": random.random, "numpy": np.random.random}, {}
"""

FOREIGN = """
import random
import numpy as np

random.setstate(random.Random(3).getstate())
np.random.set_state(np.random.RandomState(5).get_state())
FRESH, GIVEN = {}, {"random": random.random, "numpy": np.random.random}
"""


@pytest.mark.parametrize(
    "package", [PACKAGE, SEEDED, RESTORED, FOREIGN], ids=["instances", "global", "restored", "another's state"]
)
def test_a_generator_is_fresh_in_each_job_unless_it_was_given_a_seed(
    crew: Crew, written: Path, installed: Path, package: str
) -> None:
    (installed / "fake_draws.py").write_text(package)
    check(drawn(crew, written, installed), installed)


TORCH = """
from torch.random import default_generator, initial_seed, manual_seed, seed, set_rng_state
from torch.random import get_rng_state

def rand(): return default_generator.draw()
"""

TORCH_RANDOM = """
import os

class _Hidden:
    def __init__(self): self.state = int.from_bytes(os.urandom(6), "big")
    def draw(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**48
        return self.state

default_generator = _Hidden()
def manual_seed(number): default_generator.state = number; return default_generator
def seed(): return manual_seed(int.from_bytes(os.urandom(6), "big"))
def set_rng_state(state): default_generator.state = state
def get_rng_state(): return default_generator.state
def initial_seed(): return 0
"""


@pytest.fixture(params=["stand-in", "real"])
def torch(request: pytest.FixtureRequest, installed: Path) -> Path:
    """A package with the names of torch, which takes seconds to import and a gigabyte; and torch, where it is there."""
    if request.param == "real":
        if importlib.util.find_spec("torch") is None:
            pytest.skip("torch is not installed")
        return installed
    (installed / "torch").mkdir()
    (installed / "torch/__init__.py").write_text(TORCH)
    (installed / "torch/random.py").write_text(TORCH_RANDOM)
    return installed


DRAWS = "import torch\n{deed}\ndraws = {{'torch': lambda: float(torch.rand(()))}}\nFRESH, GIVEN = {whose}"
STAND_IN = "import torch\n{deed}\ndraws = {{'torch': torch.rand}}\nFRESH, GIVEN = {whose}"


@pytest.mark.parametrize(
    ("deed", "given"),
    [
        ("", False), ("torch.manual_seed(0)", True), ("torch.manual_seed(0); torch.seed()", False),
        ("torch.set_rng_state((torch.manual_seed(7), torch.get_rng_state(), torch.seed())[1])", True),
        ("from torch.random import manual_seed; manual_seed(3)", True),
    ],
    ids=["no seed", "a seed", "a seed taken back", "a state", "a seed by its module"],
)  # fmt: skip
def test_a_framework_s_own_generator_is_fresh_unless_it_was_given_a_seed(
    crew: Crew, written: Path, torch: Path, deed: str, given: bool
) -> None:
    text = STAND_IN if (torch / "torch").exists() else DRAWS
    whose = "({}, draws)" if given else "(draws, {})"
    (torch / "fake_draws.py").write_text(text.format(deed=deed, whose=whose))
    check(drawn(crew, written, torch), torch)


@pytest.mark.skipif(importlib.util.find_spec("faker") is None, reason="Faker is not installed")
def test_faker_s_words_differ(crew: Crew, written: Path, installed: Path) -> None:
    text = "from faker import Faker\nfaker = Faker()\nFRESH, GIVEN = {'names': lambda: faker.sentence(20)}, {}"
    (installed / "fake_draws.py").write_text(text)
    check(drawn(crew, written, installed), installed)
