"""Jobs that import scikit-learn, as most of a researcher's short jobs import something large."""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression

from xpm_core import Param, Task


class Learn(Task):
    """Its cost is that of its imports."""

    index: Param[int]

    def execute(self) -> None:
        LogisticRegression(C=1.0 + self.index)


class LearnAlone(Learn):
    """The same, in a process that imports everything itself."""

    template = False
