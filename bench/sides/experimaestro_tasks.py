"""The tasks of experimaestro's side, the same as ours in trials.py and learning.py."""

from typing import Any

from experimaestro import Config, Param, Task


class Nothing(Task):
    index: Param[int]

    def execute(self) -> None:
        pass


class Model(Config):
    layers: Param[int]
    width: Param[int]
    dropout: Param[float]


class Train(Task):
    model: Param[Model]
    epochs: Param[int]
    rate: Param[float]
    seed: Param[int]

    def execute(self) -> None:
        pass


class Learn(Task):
    index: Param[int]

    def execute(self) -> None:
        from sklearn.linear_model import LogisticRegression

        LogisticRegression(C=1.0 + self.index)


def train(number: int) -> Any:
    """One of many different tasks."""
    model = Model.C(layers=2 + number % 7, width=64, dropout=0.1)
    return Train.C(model=model, epochs=10, rate=0.001 * (1 + number % 5), seed=number)
