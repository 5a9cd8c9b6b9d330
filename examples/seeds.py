"""Which of four small classifiers is the best on two data sets, and is the difference more than chance?

Each model is trained with five seeds on each data set: 40 jobs, some seconds. A seed draws the points and the first
weights, so with one seed all models get the same points, and they are compared pair by pair. The script prints the
table, and writes it in LaTeX, as CSV, and as plots if matplotlib is installed. docs/results.md explains each step.

    python examples/seeds.py [WORKSPACE]
"""

import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from itertools import product
from pathlib import Path

from xpm_core import Param, Task, experiment, field, log, tag

Point = tuple[float, float]
Example = tuple[Point, bool]
Classifier = Callable[[Point], bool]

SEEDS = range(5)

# Data sets: each draws one example.


def moons(chance: random.Random) -> Example:
    """Draw a point of one of two half circles that reach into each other."""
    kind, angle = chance.random() < 0.5, math.pi * chance.random()
    x, y = (math.cos(angle), math.sin(angle)) if kind else (1 - math.cos(angle), 0.5 - math.sin(angle))
    return (x + chance.gauss(0, 0.3), y + chance.gauss(0, 0.3)), kind


def rings(chance: random.Random) -> Example:
    """Draw a point of one of two circles with the same centre."""
    kind, angle = chance.random() < 0.5, 2 * math.pi * chance.random()
    radius = (1.0 if kind else 2.0) + chance.gauss(0, 0.35)
    return (radius * math.cos(angle), radius * math.sin(angle)), kind


# Models: each learns from examples, and returns a classifier.


def centroids(examples: Sequence[Example], chance: random.Random) -> Classifier:
    """The nearer one of the two centres."""
    means = []
    for kind in (False, True):
        points = [point for point, known in examples if known is kind]
        means.append((sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)))
    return lambda point: math.dist(point, means[1]) < math.dist(point, means[0])


def neighbours(examples: Sequence[Example], chance: random.Random) -> Classifier:
    """The majority of the five nearest examples."""

    def classify(point: Point) -> bool:
        nearest = sorted(examples, key=lambda example: math.dist(point, example[0]))[:5]
        return sum(kind for _, kind in nearest) > 2

    return classify


def linear(examples: Sequence[Example], chance: random.Random) -> Classifier:
    """Logistic regression, by stochastic gradient descent."""
    weights = [0.0, 0.0, 0.0]
    for epoch in range(20):
        loss = 0.0
        for (x, y), kind in shuffled(examples, chance):
            share = logistic(weights[0] * x + weights[1] * y + weights[2])
            loss -= math.log(share if kind else 1 - share)
            weights = [w + 0.1 * (kind - share) * value for w, value in zip(weights, (x, y, 1.0), strict=True)]
        log(step=epoch, loss=loss / len(examples))
    return lambda point: weights[0] * point[0] + weights[1] * point[1] + weights[2] > 0


def network(examples: Sequence[Example], chance: random.Random) -> Classifier:
    """A network with one hidden layer of eight units, by stochastic gradient descent."""
    inner = [[chance.gauss(0, 1) for _ in range(3)] for _ in range(8)]
    outer = [chance.gauss(0, 0.5) for _ in range(9)]

    def forward(point: Point) -> tuple[list[float], float]:
        hidden = [math.tanh(a * point[0] + b * point[1] + c) for a, b, c in inner]
        return hidden, logistic(sum(w * h for w, h in zip(outer, [*hidden, 1.0], strict=True)))

    for epoch in range(20):
        loss = 0.0
        for point, kind in shuffled(examples, chance):
            hidden, share = forward(point)
            loss -= math.log(share if kind else 1 - share)
            step = 0.2 * (kind - share)
            for unit, value in enumerate(hidden):
                back = step * outer[unit] * (1 - value * value)
                outer[unit] += step * value
                inner[unit] = [w + back * v for w, v in zip(inner[unit], (*point, 1.0), strict=True)]
            outer[-1] += step
        log(step=epoch, loss=loss / len(examples))
    return lambda point: forward(point)[1] > 0.5


def shuffled(examples: Sequence[Example], chance: random.Random) -> Iterator[Example]:
    """The examples in another order."""
    return iter(chance.sample(examples, len(examples)))


def logistic(value: float) -> float:
    """A share between 0 and 1, without both of them, so that it has a logarithm."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))


DATA = {"moons": moons, "rings": rings}
MODELS = {"centroids": centroids, "neighbours": neighbours, "linear": linear, "network": network}

# The task: what one job does, and what it reports.


class Train(Task):
    """Train a model on a data set, and measure its accuracy on points that it has not seen."""

    data: Param[str]
    model: Param[str]
    seed: Param[int]
    size: Param[int] = field(default=200)
    "How many points there are for training"

    def execute(self) -> dict[str, float]:
        points, chance = random.Random(f"points {self.seed}"), random.Random(f"weights {self.seed}")
        examples, unseen = ([DATA[self.data](points) for _ in range(count)] for count in (self.size, 500))
        classify = MODELS[self.model](examples, chance)
        return {"accuracy": sum(classify(point) == kind for point, kind in unseen) / len(unseen)}


# The experiment: 40 jobs, and what is made of their results.


def run(workspace: Path) -> None:
    """Run the jobs on two workers of this machine, then show the results and keep them."""
    with experiment(workspace, "seeds", workers=2) as xp:
        for data, model, seed in product(DATA, MODELS, SEEDS):
            Train.C(data=tag(data), model=tag(model), seed=seed).submit()
        if not xp.wait():
            return  # leaving the block raises FailedExperiment, which names the failures
        table = xp.results("task=Train")
        means = table.over("seed").pivot("model", "data", "accuracy")
        print(means.to_markdown())
        print("The network less the five nearest neighbours, seed by seed:")
        for difference in table.compare("model=network", "model=neighbours", over="seed", value="accuracy"):
            print(f"  {difference}")
        table.to_csv(xp.resultspath / "runs.csv")
        means.to_latex(xp.resultspath / "accuracy.tex", caption="Accuracy on 500 points.", label="tab:accuracy")
        if find_spec("matplotlib") is not None:
            table.over("seed").plot("data", "accuracy", by="model").savefig(xp.resultspath / "accuracy.pdf")
            trained = table.where("model=linear,network").over("seed")
            trained.plot("step", "loss", by=["model", "data"]).savefig(xp.resultspath / "loss.pdf")
        print(f"Tables and plots: {xp.resultspath}")


if __name__ == "__main__":
    run(Path(sys.argv[1] if len(sys.argv) > 1 else "seeds-workspace"))
