"""The alphabet of names that people give."""

from __future__ import annotations

import pytest

from xpm_core.errors import InvalidNameError
from xpm_core.words.names import check_experiment_name, check_queue_name


@pytest.mark.parametrize("check", [check_experiment_name, check_queue_name])
def test_names_have_a_safe_alphabet(check) -> None:
    for name in ("a", "digits-grid", "2026.11_v2", "x" * 100):
        assert check(name) == name
    for name in ("", ".", "..", "-x", ".x", "a/b", "a b", "a:b", "é", "a\n", "x" * 101, None):
        with pytest.raises(InvalidNameError, match="expected 1 to 100 letters"):
            check(name)
