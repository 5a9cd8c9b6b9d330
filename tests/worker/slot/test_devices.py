"""The devices of a worker: those that its own variables list, and those that its jobs get."""

from __future__ import annotations

import pytest

from xpm_core.errors import SettingsError
from xpm_worker.slot.devices import counted, named, own_devices, visible


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("4,5", ["4", "5"]),
        (" 1 , 0 ", ["1", "0"]),
        ("GPU-8932f937,MIG-46b47d2a", ["GPU-8932f937", "MIG-46b47d2a"]),
        ("", []),
        ("-1", []),
        ("0,-1,1", ["0"]),
        ("NoDevFiles", []),
    ],
)
def test_a_list_is_read_as_cuda_reads_it(text: str, listed: list[str]) -> None:
    assert own_devices({"CUDA_VISIBLE_DEVICES": text}) == {"CUDA_VISIBLE_DEVICES": listed}


def test_other_variables_list_no_devices_and_all_of_them_is_no_list() -> None:
    assert own_devices({"PATH": "/bin,/usr/bin", "NVIDIA_VISIBLE_DEVICES": "all"}) == {}


def test_claims_are_told_how_many_there_are() -> None:
    assert counted({"ROCR_VISIBLE_DEVICES": ["0"], "CUDA_VISIBLE_DEVICES": ["4", "5"]}) == (
        "CUDA_VISIBLE_DEVICES=2,ROCR_VISIBLE_DEVICES=1"
    )
    assert counted({}) == ""


def test_a_job_is_told_this_machines_names_for_its_units() -> None:
    own = {"CUDA_VISIBLE_DEVICES": ["4", "5", "7"]}
    assert named({"CUDA_VISIBLE_DEVICES": "0,2", "SLOT": "1"}, own) == {"CUDA_VISIBLE_DEVICES": "4,7", "SLOT": "1"}


def test_a_job_sees_the_devices_of_its_own_variables_else_those_of_the_worker() -> None:
    own = {"CUDA_VISIBLE_DEVICES": ["4", "5"], "ROCR_VISIBLE_DEVICES": ["0", "1"]}
    assert visible({"CUDA_VISIBLE_DEVICES": "5", "LR": "1"}, own) == {
        "CUDA_VISIBLE_DEVICES": "5", "ROCR_VISIBLE_DEVICES": "0,1"
    }  # fmt: skip
    assert visible({"PATH": "/bin"}, {}) == {}


def test_a_unit_beyond_the_list_is_an_error_and_no_other_device() -> None:
    with pytest.raises(SettingsError, match=r"CUDA_VISIBLE_DEVICES: unit 1 is none of this worker's 1 devices \(4\)"):
        named({"CUDA_VISIBLE_DEVICES": "1"}, {"CUDA_VISIBLE_DEVICES": ["4"]})
