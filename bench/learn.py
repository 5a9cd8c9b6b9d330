"""A configuration of 20 parameters on 3 levels, in the language that the variable LANGUAGE names."""

from importlib import import_module
from typing import Any

language = import_module(globals().get("LANGUAGE", "xpm_core"))
Config: Any = language.Config
Param: Any = language.Param

ENCODER = {"layers": 6, "width": 512, "heads": 8, "dropout": 0.1, "activation": "gelu", "tied": True}
MODEL = {"name": "encoder-decoder", "vocabulary": 32_000, "length": 512, "pooling": "mean", "scale": 0.5, "bias": False}
LEARN = {
    "epochs": 100,
    "batch": 64,
    "rate": 1e-4,
    "decay": 0.01,
    "warmup": 1000,
    "seed": 7,
    "loss": "cross",
    "amp": True,
}


class Encoder(Config):
    layers: Param[int]
    width: Param[int]
    heads: Param[int]
    dropout: Param[float]
    activation: Param[str]
    tied: Param[bool]

    def __validate__(self) -> None:
        assert self.width % self.heads == 0


class Model(Config):
    name: Param[str]
    vocabulary: Param[int]
    length: Param[int]
    pooling: Param[str]
    scale: Param[float]
    bias: Param[bool]
    encoder: Param[Encoder]


class Learn(Config):
    epochs: Param[int]
    batch: Param[int]
    rate: Param[float]
    decay: Param[float]
    warmup: Param[int]
    seed: Param[int]
    loss: Param[str]
    amp: Param[bool]
    model: Param[Model]


def build() -> Any:
    """A configuration."""
    return Learn.C(**LEARN, model=Model.C(**MODEL, encoder=Encoder.C(**ENCODER)))


def equivalent() -> dict[str, Any]:
    """The same values in a dict."""
    return {**LEARN, "model": {**MODEL, "encoder": {**ENCODER}}}
