"""The pictures of the documents: the page in Chromium, and commands in a terminal, from a real run. `make pictures`.

A study trains networks on the handwritten digits of scikit-learn. The pictures are taken while it runs.

Owns: what is pictured, how large a picture is, and that no picture needs anything from elsewhere.
"""

from __future__ import annotations

import getpass
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # also as a script

from helpers.browser import Shown, chromium
from helpers.private_server import running
from helpers.project_files import ROOT
from helpers.typed_commands import Shell
from helpers.waiting import wait_until
from rich.console import Console
from rich.text import Text

from xpm_core.server.binary import find_server
from xpm_core.workspace.workspace import Workspace

FOLDER = ROOT / "docs" / "assets" / "pictures"
MOST_BYTES = 300_000
"""How much all pictures together may have."""
COLUMNS = 100
"""The width of the terminal."""
PATIENCE_S = 300.0
WIDTH = 1100
"""The width of the window in which the page is pictured."""
COLOURS = 128
"""How many colours a picture of the page has."""
VIEWS = {
    "jobs": ("/jobs?filter=task%3DTrain", 600),
    "curves": ("/curves?metric=loss&filter=lr%3C1+and+state%3Ddone", 640),
}
"""The pictures of the page: the URL of each, and its height."""
SCREENS = ("status", "why")
"""The pictures of the terminal: the commands."""
STUDY = '''
"""Networks on handwritten digits: which width and which rate of learning, over three seeds?"""

import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from xpm_core import Param, Task, experiment, tag


class Train(Task):
    width: Param[int]
    lr: Param[float]
    seed: Param[int]

    def execute(self):
        images, digits = load_digits(return_X_y=True)
        order = np.random.default_rng(self.seed).permutation(len(images))
        train, test = order[:1200], order[1200:]
        net = MLPClassifier((self.width,), learning_rate_init=self.lr, solver="sgd", random_state=self.seed)
        for epoch in range(30):
            net.partial_fit(images[train] / 16, digits[train], classes=range(10))
            if not np.isfinite(net.loss_) or net.loss_ > 4:
                raise FloatingPointError(f"the loss is {net.loss_:.1f} after epoch {epoch}")
            self.log(step=epoch, loss=net.loss_, accuracy=net.score(images[test] / 16, digits[test]))
            print(f"epoch {epoch}: loss {net.loss_:.4f}", flush=True)
            time.sleep(0.03)
        return {"accuracy": net.score(images[test] / 16, digits[test]), "loss": float(net.loss_)}


class Average(Task):
    """The mean accuracy of three seeds."""

    seeds: Param[list[Train]]

    def execute(self):
        return {"mean": float(np.mean([seed.results["accuracy"] for seed in self.seeds]))}


if __name__ == "__main__":
    with experiment("digits", "widths", workers=2) as xp:
        for width in (8, 32, 128):
            for lr in (0.01, 0.1) if width == 32 else (0.01, 0.1, 30.0):
                seeds = range(4 if lr < 1 else 1)
                runs = [Train.C(width=tag(width), lr=tag(lr), seed=tag(seed)).submit() for seed in seeds]
                Average.C(seeds=runs).tag("width", width).tag("lr", lr).submit()
'''


def take(folder: Path) -> None:
    """Take all pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with studied() as (shell, workspace):
        wait_until(lambda: done(shell) >= DONE, show=lambda: done(shell), timeout_s=PATIENCE_S, poll_s=0.3)
        for command in SCREENS:
            said = elsewhere(shell, shell.run(command, COLUMNS=str(COLUMNS), FORCE_COLOR="1").stdout)
            (folder / f"{command}.svg").write_text(as_svg(f"xpm {command}", said))
        page = Shown(workspace, shell.url)
        try:
            picture_views(page, folder)
        finally:
            page.close()
    size = sum(path.stat().st_size for path in folder.iterdir())
    if size > MOST_BYTES:
        raise SystemExit(f"pictures: they have {size:,} bytes, and may have {MOST_BYTES:,}")


DONE = 16
"""How many jobs are done when the pictures are taken."""


@contextmanager
def studied() -> Iterator[tuple[Shell, Workspace]]:
    """The study while it runs: a shell beside it, and its workspace."""
    with tempfile.TemporaryDirectory(prefix="xpm-pictures-") as place, running(find_server()) as server:
        folder = Path(place)
        (folder / "study.py").write_text(STUDY)
        shell = Shell(folder, server.url, folder / "home")
        study = subprocess.Popen(
            [sys.executable, "study.py"],
            cwd=folder,
            env=shell.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait_until(lambda: (folder / "digits" / ".xpm" / "workspace.json").exists(), timeout_s=PATIENCE_S)
            yield shell, Workspace.open(folder / "digits", create=False)
        finally:
            os.killpg(study.pid, signal.SIGTERM)
            study.wait()


def done(shell: Shell) -> int:
    """How many jobs are done."""
    text = shell.run("status", "--json").stdout
    return int(json.loads(text)["jobs"]["done"]) if text.startswith("{") else 0


def elsewhere(shell: Shell, said: str) -> str:
    """The same as if it had been typed on a cluster: whose machine this is, and its temporary folders, tell nothing."""
    names = {
        str(shell.folder): "/data",
        shell.url: "redis://head:6379",
        f"by {getpass.getuser()} on {socket.gethostname()}": "by alice on head",
        f"{socket.gethostname()}:": "gpu-a:",
    }
    for here, there in names.items():
        said = said.replace(here, there)
    return said


def picture_views(page: Shown, folder: Path) -> None:
    """Picture the page, as a browser shows it."""
    with chromium() as browser:
        window = browser.new_page(viewport={"width": WIDTH, "height": 700})
        window.goto(f"{page.url}/?token={page.guard.token}")
        for name, (url, height) in VIEWS.items():
            window.set_viewport_size({"width": WIDTH, "height": height})
            window.goto(f"{page.url}{url}")
            if name == "curves":
                window.wait_for_selector(".uplot canvas", timeout=PATIENCE_S * 1000)
            (folder / f"{name}.png").write_bytes(smaller(window.screenshot()))


def smaller(png: bytes) -> bytes:
    """A picture with fewer colours: a third of the bytes, and nobody sees it."""
    from PIL import Image

    written = io.BytesIO()
    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    image.save(written, "PNG", optimize=True)
    return written.getvalue()


def as_svg(title: str, said: str) -> str:
    """What a command has printed as a picture of a terminal. Its font is one of this machine."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(said.rstrip("\n")))
    drawn = console.export_svg(title=title, unique_id="xpm")
    drawn = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    return re.sub(r"[ \t]+\n", "\n", drawn.replace("Fira Code", "ui-monospace"))


if __name__ == "__main__":
    take(FOLDER)
