"""A task whose module imports packages that are slow to import. Its code runs in threads of these packages."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from xpm_core.config import Param, Task


class Multiply(Task):
    """Uses OpenBLAS and OpenMP."""

    number: Param[int]

    def execute(self) -> None:
        data = np.random.default_rng(self.number).random((300, 300))
        labels = (data[:, 0] > 0.5).astype(int)
        LogisticRegression(max_iter=20).fit(data[:, :5], labels)
        score = HistGradientBoostingClassifier(max_iter=3).fit(data[:, :5], labels).score(data[:, :5], labels)
        Path("result.json").write_text(json.dumps([float((data @ data).sum()), score]))
