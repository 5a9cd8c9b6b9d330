"""Which model reads handwritten digits best, and from how few examples?

This script trains models of scikit-learn on the 1,797 images that come with it: each model of the grid, on training
sets of each size. Add a value to the grid and run the script again: only the new jobs run.

    python examples/digits.py [WORKSPACE]
"""

import csv
import json
import sys
from abc import abstractmethod
from itertools import product
from pathlib import Path

import joblib
import numpy as np
from rich.console import Console
from rich.table import Table
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
    """Measure the accuracy of a fitted model on the test set."""

    train: Param[Train]
    scores: Meta[Path] = field(default_factory=PathGenerator("scores.json"))

    def execute(self) -> None:
        classifier = joblib.load(self.train.fitted)
        with np.load(self.train.data.arrays) as arrays:
            accuracy = classifier.score(arrays["x_test"], arrays["y_test"])
        self.scores.write_text(json.dumps({"accuracy": accuracy}))


# The experiment: which tasks to run. The tagged values name the rows of the results.


def grid() -> list[Train]:
    """Return each model on each size of the training set. To add a value, add a number to one of these lists."""
    models = [
        *(NearestNeighbours.C(neighbours=tag(n)).tag("model", "nearest") for n in [1, 5]),
        *(Forest.C(trees=tag(n)).tag("model", "forest") for n in [10, 100]),
        *(SupportVectors.C(gamma=tag(gamma)).tag("model", "vectors") for gamma in [0.001, 0.01]),
    ]
    sizes = [50, 250, 1250]
    data = Prepare.C().submit()
    return [Train.C(data=data, model=model, size=tag(size)) for size, model in product(sizes, models)]


def run(workspace: Path) -> None:
    """Run the grid on two workers of this machine, then show the results and keep them."""
    with experiment(workspace, "digits", workers=2) as xp:
        training = xp.connector.createtoken("training", 1)  # one training at a time, while the other worker evaluates
        evaluations = [Evaluate.C(train=training(1, train).submit()).submit() for train in grid()]
        summary = xp.wait()
        if not summary:
            return  # leaving the block raises FailedExperiment, which names the failures
        results = [{**each.tags(), **json.loads(each.scores.read_text())} for each in evaluations]
        results.sort(key=lambda result: result["accuracy"], reverse=True)
        show(results)
        write(results, xp.resultspath / "accuracy.csv")
        draw(results, xp.resultspath / "accuracy.png")
        print(f"Table and plot: {xp.resultspath}")
        if summary.reused == summary.done:
            print(f"Nothing had to be run: all {summary.done} jobs were done already.")


def columns(results: list[dict]) -> list[str]:
    """Return the names of the columns: first the tags that every result has, then the other tags, then the measure."""
    names = {name for result in results for name in result} - {"accuracy"}
    return [*sorted(names, key=lambda name: (sum(name not in result for result in results), name)), "accuracy"]


def show(results: list[dict]) -> None:
    """Print the results as a table."""
    table = Table(*columns(results), title="Accuracy on the test set, best first")
    for result in results:
        cells = {**result, "accuracy": f"{result['accuracy']:.3f}"}
        table.add_row(*(str(cells.get(name, "")) for name in columns(results)))
    Console().print(table)


def write(results: list[dict], path: Path) -> None:
    """Write the results as a table (CSV)."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns(results))
        writer.writeheader()
        writer.writerows(results)


def draw(results: list[dict], path: Path) -> None:
    """Draw the accuracy over the size of the training set, with a curve for each model (PNG)."""
    from matplotlib.figure import Figure  # here, because jobs import this file, too, and draw nothing

    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.add_subplot(xscale="log", xlabel="training images", ylabel="accuracy on the test set")
    curves: dict[str, list[tuple[int, float]]] = {}
    for result in results:
        model = " ".join(str(result[name]) for name in columns(results) if name in result.keys() - {"size", "accuracy"})
        curves.setdefault(model, []).append((result["size"], result["accuracy"]))
    for model, points in curves.items():
        axes.plot(*zip(*sorted(points), strict=True), marker="o", label=model)
    axes.legend()
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    run(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-workspace"))
