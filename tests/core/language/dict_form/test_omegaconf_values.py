"""What OmegaConf loaded is taken as plain values."""

from __future__ import annotations

import pytest
from dict_samples import Learn
from omegaconf import OmegaConf

from xpm_core.errors import (
    MissingParameterError,
    ParameterValueError,
)


def test_omegaconf_containers_are_taken() -> None:
    whole = Learn.from_dict(OmegaConf.create({"epochs": 7, "layers": "${oc.create:[1,2]}", "threads": "${epochs}"}))
    assert (whole.epochs, whole.layers, whole.threads) == (7, [1, 2], 7)
    parts = OmegaConf.create({"rate": 0.25, "optimizer": {"class": "Adam", "lr": "${rate}"}, "layers": [3]})
    found = Learn.from_dict({"optimizer": parts.optimizer, "layers": parts.layers})
    assert (found.optimizer.lr, found.layers) == (0.25, [3])


def test_what_omegaconf_lacks_is_told_with_its_path() -> None:
    with pytest.raises(MissingParameterError, match=r"Learn\.optimizer\.lr: it is missing \(\?\?\?\)"):
        Learn.from_dict(OmegaConf.create({"optimizer": {"lr": "???"}}))
    with pytest.raises(ParameterValueError, match=r"Learn\.epochs: OmegaConf cannot read it \(Interpolation key"):
        Learn.from_dict(OmegaConf.create({"epochs": "${nowhere}"}))
