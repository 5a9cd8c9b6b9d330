"""Imports point one way, as ARCHITECTURE.md draws it, and in no circle.

import-linter reads the contracts: the arrows in pyproject.toml, the circles in tests/circles.toml.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
from helpers.project_files import PACKAGES, ROOT

pytestmark = pytest.mark.slow

LINTER = Path(sysconfig.get_path("scripts"), "lint-imports")
ARROWS = ROOT / "pyproject.toml"
CIRCLES = ROOT / "tests" / "circles.toml"
TYPING = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "

VERDICT = re.compile(r"^(.+) (KEPT|BROKEN)$", re.MULTILINE)
LINK = re.compile(r"(\S+) -> \S+ \(l\.(\d+)\)")

AGAINST_AN_ARROW = [
    ("xpm_core/states.py", "import xpm_worker"),
    ("xpm_core/states.py", "from xpm_cli import main"),
    ("xpm_cli/output/terminal.py", "def late():\n    import jinja2"),
    ("xpm_core/script/page_process.py", "def late():\n    import uvicorn"),
    ("xpm_cli/watch/watch.py", f"{TYPING}from starlette.requests import Request"),
    ("xpm_cli/lookup/acts.py", "from xpm_cli.page import links"),
    ("xpm_cli/page/safety/session.py", f"{TYPING}from xpm_cli.page.desk.desk import Desk"),
    ("xpm_cli/page/views/jobs.py", f"{TYPING}from xpm_cli.page.serving.listening import Listening"),
    ("xpm_cli/page/views/jobs.py", "from xpm_cli.page.acting import plans"),
    ("xpm_cli/page/desk/feed.py", f"{TYPING}from xpm_cli.page.results.charts import Chart"),
    ("xpm_cli/page/svg.py", "def late():\n    from xpm_cli.page.timeline import moves"),
    ("xpm_cli/page/links.py", "from xpm_cli.page.log import ansi"),
    ("xpm_cli/page/new_room.py", ""),
    ("xpm_cli/commands/looking/jobs.py", "def late():\n    from xpm_cli.page.desk import differing"),
    ("xpm_cli/page/views/job.py", "from xpm_cli.lookup import acts"),
    ("xpm_cli/page/api/routes.py", "def late():\n    from xpm_cli.lookup.steering.orders import ordered"),
    ("xpm_core/limits.py", "from xpm_core.words import text"),
    ("xpm_core/words/text.py", f"{TYPING}from xpm_core.workspace.workspace import Workspace"),
    ("xpm_core/filters/values.py", "from xpm_core.words import text"),
    ("xpm_core/filters/row.py", f"{TYPING}from xpm_core.reading.jobs import Job"),
    ("xpm_core/hooks/facts.py", f"{TYPING}from xpm_core.workspace.workspace import Workspace"),
    ("xpm_core/script/submit/options.py", "from xpm_core.script.announce import sending"),
    ("xpm_core/index/merged.py", "from xpm_core.store import keys"),
    ("xpm_core/index/parameters.py", f"{TYPING}from xpm_core.config import Task"),
    ("xpm_core/workspace/files.py", "from xpm_core.language.graph import state"),
    ("xpm_core/server/url.py", "from xpm_core.store import keys"),
    ("xpm_core/store/keys.py", "from xpm_core import config"),
    ("xpm_core/store/jobs.py", f"{TYPING}from xpm_core.reading.jobs import Job"),
    ("xpm_core/wire/packer.py", f"{TYPING}from xpm_core.reading.jobs import Job"),
    ("xpm_core/reading/jobs.py", f"{TYPING}from xpm_core.reading.past.runs import PastRun"),
    ("xpm_core/reading/jobs.py", f"{TYPING}from xpm_core.reading.why.records import Why"),
    ("xpm_core/reading/look.py", f"{TYPING}from xpm_core.cleaning.records import Plan"),
    ("xpm_core/cleaning/plan.py", "from xpm_core.script import experiment"),
    ("xpm_core/cleaning/plan.py", "def late():\n    from redis import Redis"),
    ("xpm_core/cleaning/plan.py", f"{TYPING}from xpm_core.exchange.layout import ExportRecord"),
    ("xpm_core/results/statistics/numbers.py", "from xpm_core.states import State"),
    ("xpm_core/results/statistics/intervals.py", "def late():\n    import scipy"),
    ("xpm_core/results/statistics/intervals.py", f"{TYPING}from xpm_core.results.statistics.marks import Marks"),
    ("xpm_core/filters/filter.py", f"{TYPING}from xpm_core.results.statistics.intervals import Summary"),
    ("xpm_core/results/table.py", f"{TYPING}from xpm_core.reading.look import View"),
    ("xpm_core/results/folding/cells.py", f"{TYPING}from xpm_core.results.folding.folded import Folded"),
    ("xpm_core/results/folding/holes.py", f"{TYPING}from xpm_core.results.table import Table"),
    ("xpm_core/exchange/importing/checks.py", "from xpm_core.exchange.exporting import export"),
    ("xpm_core/exchange/layout.py", "from xpm_core.script import experiment"),
    ("xpm_core/fingerprints/reached.py", "from xpm_core.fingerprints.comparison import Comparison"),
    ("xpm_core/fingerprints/source/names.py", f"{TYPING}from xpm_core.fingerprints.memory import Memory"),
    ("xpm_core/snapshot/manifest.py", f"{TYPING}from xpm_core.fingerprints.walk import Key"),
    ("xpm_core/reading/look.py", f"{TYPING}from xpm_core.diagnosis import findings"),
    ("xpm_core/diagnosis/patient.py", "from xpm_core.diagnosis.jobs import markers"),
    ("xpm_core/diagnosis/jobs/view.py", "from xpm_core.diagnosis.surroundings import place"),
    ("xpm_core/diagnosis/jobs/view.py", "import redis"),
    ("xpm_worker/mark.py", "from xpm_worker import daemon"),
    ("xpm_core/labels.py", "from xpm_core import errors"),
    ("xpm_core/backoff.py", "from xpm_core.words import text"),
    ("xpm_core/config/base.py", "from xpm_core import experiment"),
    ("xpm_core/config/base.py", f"{TYPING}from xpm_core.wire.packer import Packer"),
    ("xpm_core/language/identity/seal.py", "from xpm_core.store import keys"),
    ("xpm_core/language/graph/tags.py", "from xpm_core.language.values import kinds"),
    ("xpm_core/language/classes/parameter_help.py", f"{TYPING}from xpm_core.language.identity import seal"),
    ("xpm_core/script/follow/events.py", "from xpm_core.script.show import report"),
    ("xpm_core/script/submit/outbox.py", "from xpm_core.script.show import report"),
    ("xpm_core/script/show/report.py", "from xpm_core.script.live import run_view"),
    ("xpm_core/script/live/run_view.py", "from xpm_core.script.show import report"),
    ("xpm_core/script/experiment.py", "from redis import Redis"),
    ("xpm_core/script/experiment.py", "from xpm_core.experiment_file import prepared"),
    ("xpm_core/experiment_file/content/keys.py", "from xpm_core.experiment_file import function"),
    ("xpm_core/experiment_file/function.py", f"{TYPING}from xpm_core.experiment_file.prepared import Prepared"),
    ("xpm_core/forecast/forecast.py", f"{TYPING}from xpm_core.reading.tokens import TokenState"),
    ("xpm_core/script/rehearsal/plan.py", f"{TYPING}from xpm_core.script.experiment import experiment"),
    ("xpm_core/wire/payload.py", "def late():\n    import rich"),
    ("xpm_worker/job/main.py", "def late():\n    from xpm_core.store import jobs"),
    ("xpm_worker/job/main.py", "def late():\n    from xpm_core.reading import events"),
    ("xpm_worker/job/main.py", f"{TYPING}from xpm_worker.slot.runner import Runner"),
    ("xpm_worker/starter/main.py", "import rq"),
    ("xpm_worker/system/processes.py", "import xpm_cli"),
    ("xpm_worker/starter/main.py", "from xpm_core.reading import look"),
    ("xpm_worker/slot/rq_worker.py", "import redis"),
    ("xpm_worker/slot/runner.py", "from xpm_worker import daemon"),
    ("xpm_worker/slot/starter_link.py", "from xpm_worker.starter import fork_server"),
    ("xpm_worker/starter/main.py", f"{TYPING}from xpm_worker.slot.orders import Orders"),
    ("xpm_worker/daemon.py", "import rq"),
    ("xpm_cli/output/terminal.py", "import xpm_worker"),
    ("xpm_cli/output/terminal.py", "import redis"),
    ("xpm_cli/lookup/script_objects.py", "from xpm_cli.output import terminal"),
    ("xpm_cli/output/terminal.py", f"{TYPING}from xpm_cli.watch.screen import Screen"),
]
"""Modules, and the line that breaks an arrow if it stands there, too."""

AGAINST_A_CIRCLE = [
    ("xpm_core/errors/base.py", "from xpm_core.words import text", "xpm_core"),
    (
        "xpm_core/language/parameters/schema.py",
        f"{TYPING}from xpm_core.language.parameters.fields import Field",
        "xpm_core.language.parameters",
    ),
    (
        "xpm_core/language/identity/digest.py",
        "def late():\n    from xpm_core.language.identity import partials",
        "xpm_core.language.identity",
    ),
    (
        "xpm_core/language/dict_form/class_names.py",
        "from xpm_core.language.dict_form import dict_reader",
        "xpm_core.language.dict_form",
    ),
    ("xpm_core/store/keys.py", f"{TYPING}from xpm_core.store.jobs import Store", "xpm_core.store"),
    (
        "xpm_worker/protocol/messages.py",
        f"{TYPING}from xpm_worker.protocol.codec import encode",
        "xpm_worker.protocol",
    ),
    ("xpm_worker/job/main.py", "def late():\n    from xpm_worker import starter", "xpm_worker"),
    ("xpm_cli/output/terminal.py", "def late():\n    from xpm_cli.commands import status", "xpm_cli"),
]
"""The same of circles, and the package in which each closes one. No two close one in the same package."""


class Broken:
    """A copy of the three packages where all these lines stand, too, and what import-linter says about it."""

    def __init__(self, folder: Path, added: list[tuple[str, str]], contracts: Path) -> None:
        for package in PACKAGES:
            shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        self._added: dict[tuple[str, str], tuple[str, str]] = {}
        for module, line in added:
            with (folder / module).open("a") as file:
                file.write(f"\n{line}\n")
            number = len((folder / module).read_text().splitlines())
            self._added[module, line] = module.removesuffix(".py").replace("/", "."), str(number)
        result = lint_imports(contracts, folder)
        assert result.returncode == 1, result.stdout + result.stderr
        self.output = result.stdout

    def forbids(self, module: str, line: str) -> bool:
        """Whether a contract forbids this line, also if no other line had been added."""
        if not line:
            return f"\n- {self._added[module, line][0]}\n" in self.output
        added = set(self._added.values())
        chains = (set(LINK.findall(chain)) for chain in self.output.split("\n\n"))
        return any(chain & added == {self._added[module, line]} for chain in chains)


@pytest.fixture(scope="module")
def without_arrows(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    return Broken(tmp_path_factory.mktemp("arrows"), AGAINST_AN_ARROW, ARROWS)


@pytest.fixture(scope="module")
def with_circles(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    return Broken(tmp_path_factory.mktemp("circles"), [(module, line) for module, line, _ in AGAINST_A_CIRCLE], CIRCLES)


def lint_imports(contracts: Path, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run import-linter as a developer does."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}  # names of contracts are long
    command = [LINTER, "--no-cache", "--config", contracts]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_imports_follow_the_arrows() -> None:
    result = lint_imports(ARROWS)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("module", "line"), AGAINST_AN_ARROW)
def test_import_against_an_arrow_is_noticed(without_arrows: Broken, module: str, line: str) -> None:
    assert without_arrows.forbids(module, line), without_arrows.output


def test_every_contract_was_seen_to_break(without_arrows: Broken) -> None:
    verdicts = VERDICT.findall(without_arrows.output)
    assert [name for name, verdict in verdicts if verdict == "KEPT"] == []
    assert len(verdicts) == ARROWS.read_text().count("[[tool.importlinter.contracts]]")


def test_imports_form_no_circle() -> None:
    result = lint_imports(CIRCLES)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("module", "line", "package"), AGAINST_A_CIRCLE)
def test_circle_of_imports_is_noticed(with_circles: Broken, module: str, line: str, package: str) -> None:
    assert f"No cycles are allowed in {package}.\n" in with_circles.output


def test_no_two_lines_close_a_circle_in_the_same_package() -> None:
    packages = [package for _, _, package in AGAINST_A_CIRCLE]
    assert len(set(packages)) == len(packages)
