"""What is known of the kernel's kills, from files as the kernel writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_worker.system.oom import AGE_S, ControlGroup, KillCount, find_group, size

GB = 2**30
EVENTS = "low 0\nhigh 0\nmax 12\noom 3\noom_kill {}\noom_group_kill 0\n"
CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"


class Machine:
    """Stands in for the files of one: its `/proc`, and its control groups."""

    def __init__(self, folder: Path) -> None:
        self.top = folder / "cgroup"
        self.groups, self.mounts = folder / "groups", folder / "mounts"
        self.mounts.write_text("22 1 0:21 / /proc rw - proc proc rw\n")
        self.groups.write_text("")

    def mount(self, kind: str, options: str, root: str = "/") -> None:
        with self.mounts.open("a") as file:
            file.write(f"30 22 0:26 {root} {self.top} rw,nosuid shared:4 - {kind} {kind} {options}\n")

    def group(self, path: str, **files: str) -> Path:
        folder = self.top / path.strip("/")
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name.replace("_", ".", 1)).write_text(text)
        return folder

    def found(self) -> ControlGroup:
        group = find_group(self.groups, self.mounts)
        assert group is not None
        return group


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_group_of_version_2_with_the_least_limit_above_it(machine: Machine) -> None:
    machine.mount("cgroup2", "rw")
    machine.groups.write_text("0::/user/job\n")
    machine.group("/", cgroup_procs="")
    machine.group("/user", memory_events=EVENTS.format(7), memory_max=str(6 * GB))
    machine.group("/user/job", memory_events=EVENTS.format(2), memory_max="max")
    assert (machine.found().kills(), machine.found().limit()) == (2, 6 * GB)


def test_where_the_inner_group_has_no_controller_the_next_one_counts(machine: Machine) -> None:
    machine.mount("cgroup2", "rw")
    machine.groups.write_text("0::/user/job\n")
    machine.group("/user/job", cgroup_procs="")
    machine.group("/user", memory_events=EVENTS.format(7), memory_max=str(6 * GB))
    assert (machine.found().kills(), machine.found().limit()) == (7, 6 * GB)


def test_the_group_of_version_1_beside_one_of_version_2(machine: Machine) -> None:
    machine.mount("cgroup", "rw,memory")
    machine.groups.write_text("9:name=systemd:/x\n4:cpu,memory:/slurm/step\n0::/\n")
    machine.group("/slurm/step", memory_oom_control=CONTROL.format(1), memory_limit_in_bytes=str(2**63 - 4096))
    machine.group("/slurm", memory_oom_control=CONTROL.format(0), memory_limit_in_bytes=str(4 * GB))
    assert (machine.found().kills(), machine.found().limit()) == (1, 4 * GB)


@pytest.mark.parametrize("root", ["/", "/docker/1f2a"])
def test_in_a_container_the_group_is_what_is_mounted(machine: Machine, root: str) -> None:
    machine.mount("cgroup", "rw,memory", root)
    machine.groups.write_text("4:memory:/docker/1f2a\n")
    machine.group("/", memory_oom_control=CONTROL.format(5), memory_limit_in_bytes=str(GB))
    assert (machine.found().kills(), machine.found().limit()) == (5, GB)


@pytest.mark.parametrize("groups", ["", "0::/gone\n", "4:memory:/x\n", "nonsense\n"])
def test_no_group_where_there_is_none(machine: Machine, groups: str) -> None:
    machine.groups.write_text(groups)
    assert find_group(machine.groups, machine.mounts) is None
    assert find_group(machine.groups, machine.mounts / "absent") is None


class Counted:
    """Kills in a group whose count a test sets."""

    def __init__(self, machine: Machine) -> None:
        machine.mount("cgroup2", "rw")
        machine.groups.write_text("0::/job\n")
        self._folder = machine.group("/job", memory_max=str(6 * GB))
        self.count(3)
        self.kills = KillCount(machine.found())
        self.kills.start(0.0)

    def count(self, number: int | None) -> None:
        (self._folder / "memory.events").write_text("" if number is None else EVENTS.format(number))


@pytest.fixture
def counted(machine: Machine) -> Counted:
    return Counted(machine)


def test_a_kill_just_before_the_end_was_the_kernels(counted: Counted) -> None:
    counted.kills.look(1.0)
    counted.count(4)
    assert counted.kills.explain_kill(int(5.5 * GB)) == (
        "the kernel's out-of-memory killer (memory.events oom_kill 3 → 4), peak 5.5 GB of 6 GB"
    )


def test_a_kill_is_the_kernels_also_when_it_was_counted_before_the_process_had_ended(counted: Counted) -> None:
    counted.count(4)
    counted.kills.look(1.0)
    assert counted.kills.explain_kill(None) == "the kernel's out-of-memory killer (memory.events oom_kill 3 → 4)"


def test_a_kill_long_before_the_end_may_have_been_another_jobs(counted: Counted) -> None:
    counted.count(4)
    for now in (1.0, 2.0):
        counted.kills.look(now)
    assert counted.kills.explain_kill(None) == (
        "most often the kernel, out of memory (memory.events oom_kill 3 → 4 since it began)"
    )


def test_without_a_kill_by_the_kernel_it_was_somebody_else(counted: Counted) -> None:
    counted.kills.look(1.0)
    assert counted.kills.explain_kill(GB) == (
        "another process, because the kernel killed nothing for want of memory (memory.events oom_kill is still 3), "
        "peak 1 GB of 6 GB"
    )


def test_what_an_earlier_job_had_is_not_counted_again(counted: Counted) -> None:
    counted.count(4)
    counted.kills.start(AGE_S)
    assert counted.kills.explain_kill(None).startswith("another process")
    assert counted.kills.note() == ""


def test_many_short_jobs_read_the_count_once(counted: Counted) -> None:
    counted.count(4)
    counted.kills.start(AGE_S / 2)
    assert "3 → 4" in counted.kills.explain_kill(None)
    assert "3 → 4" in counted.kills.note()


@pytest.mark.parametrize("gone", ["count", "file", "group"])
def test_what_the_kernel_does_not_say_is_not_known(counted: Counted, gone: str) -> None:
    if gone == "count":
        counted.count(None)
    kills = KillCount(None) if gone == "group" else counted.kills
    if gone == "file":
        kills = KillCount(ControlGroup(Path("/nonexistent"), "memory.events", Path("/nonexistent")))
        kills.start(0.0)
    assert kills.explain_kill(GB).startswith("most often the kernel, out of memory (journalctl -k), peak 1 GB of ")
    assert kills.note() == ""


@pytest.mark.parametrize(("count", "said"), [(GB * 6, "6 GB"), (int(GB * 5.5), "5.5 GB"), (GB // 4, "256 MB")])
def test_sizes(count: int, said: str) -> None:
    assert size(count) == said
