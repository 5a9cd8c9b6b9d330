"""Which model reads handwritten digits best, and from how few examples?

This script trains models of scikit-learn on the 1,797 images that come with it: each model of the grid, on training
sets of each size. Add a value to the grid and run the script again: only the new jobs run.

    python examples/digits.py [WORKSPACE]
"""

import sys
from abc import abstractmethod
from itertools import product
from pathlib import Path

import joblib
import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from xpm_core import Config, Meta, Param, PathGenerator, Task, experiment, field, tag

# Configurations: what can be varied.


class Model(Config):
    """A family of models. Each one builds a classifier from its own parameters."""

    @abstractmethod
    def build(self) -> ClassifierMixin:
        """Return a classifier that has seen no image yet."""


class NearestNeighbours(Model):
    neighbours: Param[int]
    "How many of the nearest examples vote"

    def build(self) -> ClassifierMixin:
        return KNeighborsClassifier(n_neighbors=self.neighbours)


class Forest(Model):
    trees: Param[int]
    "How many trees vote"

    def build(self) -> ClassifierMixin:
        return RandomForestClassifier(n_estimators=self.trees, random_state=0)


class SupportVectors(Model):
    gamma: Param[float]
    "How near an example must be to count: a high value means very near"

    def build(self) -> ClassifierMixin:
        return SVC(gamma=self.gamma)


# Tasks: what is run. Each task has a directory of its own.


class Prepare(Task):
    """Split the images into a training and a test set, and scale both by the training set."""

    test_share: Param[float] = field(default=0.3)
    seed: Param[int] = field(default=0)
    arrays: Meta[Path] = field(default_factory=PathGenerator("arrays.npz"))

    def execute(self) -> None:
        images, digits = load_digits(return_X_y=True)
        x_train, x_test, y_train, y_test = train_test_split(
            images, digits, test_size=self.test_share, random_state=self.seed, stratify=digits
        )
        scaler = StandardScaler().fit(x_train)
        x_train, x_test = scaler.transform(x_train), scaler.transform(x_test)
        np.savez(self.arrays, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


class Train(Task):
    """Fit a model to the first `size` images of the training set."""

    data: Param[Prepare]
    model: Param[Model]
    size: Param[int]
    fitted: Meta[Path] = field(default_factory=PathGenerator("fitted.joblib"))

    def execute(self) -> None:
        with np.load(self.data.arrays) as arrays:
            classifier = self.model.build().fit(arrays["x_train"][: self.size], arrays["y_train"][: self.size])
        joblib.dump(classifier, self.fitted)


class Evaluate(Task):
    """Measure the accuracy of a fitted model on the test set. What `execute` returns is the job's result."""

    train: Param[Train]

    def execute(self) -> dict[str, float]:
        classifier = joblib.load(self.train.fitted)
        with np.load(self.train.data.arrays) as arrays:
            return {"accuracy": classifier.score(arrays["x_test"], arrays["y_test"])}


# The experiment: which tasks to run. Tags are columns of the table of results, and name jobs in lists.


def grid() -> list[Train]:
    """Return each model on each size of the training set. To add a value, add a number to one of these lists."""
    models = [
        *(NearestNeighbours.C(neighbours=n).tag("model", f"nearest {n}") for n in [1, 5]),
        *(Forest.C(trees=n).tag("model", f"forest {n}") for n in [10, 100]),
        *(SupportVectors.C(gamma=gamma).tag("model", f"vectors {gamma}") for gamma in [0.001, 0.01]),
    ]
    sizes = [50, 250, 1250]
    data = Prepare.C().submit()
    return [Train.C(data=data, model=model, size=tag(size)) for size, model in product(sizes, models)]


def run(workspace: Path) -> None:
    """Run the grid on two workers of this machine, then show the results and keep them."""
    with experiment(workspace, "digits", workers=2) as xp:
        training = xp.connector.createtoken("training", 1)  # one training at a time, while the other worker evaluates
        for train in grid():
            Evaluate.C(train=training(1, train).submit()).submit()
        summary = xp.wait()
        if not summary:
            return  # leaving the block raises FailedExperiment, which names the failures
        table = xp.results("task=Evaluate").select("size", "model", "accuracy").sort("-accuracy")
        print("Accuracy on the test set, best first\n")
        print(table.to_markdown())
        table.to_csv(xp.resultspath / "accuracy.csv")
        table.plot("size", "accuracy", by="model").savefig(xp.resultspath / "accuracy.png", dpi=150)
        print(f"Table and plot: {xp.resultspath}")
        if summary.reused == summary.done:
            print(f"Nothing had to be run: all {summary.done} jobs were done already.")


if __name__ == "__main__":
    run(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-workspace"))
