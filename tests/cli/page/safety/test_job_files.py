"""Only regular files of the job's own directory are opened, whatever the job does with links and names meanwhile."""

from __future__ import annotations

import os
import pickle
import socket
import threading
from pathlib import Path

import pytest

from xpm_cli.page.safety.job_files import FileNotServedError, open_job_file

SECRET = "secret"


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A job's directory, beside a file that is not the job's."""
    (tmp_path / "secret").write_text(SECRET)
    directory = tmp_path / "job"
    (directory / "plots").mkdir(parents=True)
    (directory / "train.out").write_text("epoch 1")
    (directory / "plots" / "loss.csv").write_text("loss")
    return directory


def read(directory: Path, path: str) -> str:
    with open_job_file(directory, path).file as file:
        return file.read().decode()


def status(directory: Path, path: str) -> int:
    with pytest.raises(FileNotServedError) as caught:
        open_job_file(directory, path).file.close()
    return caught.value.status


def test_a_file_of_the_job_is_opened_with_its_size(job: Path) -> None:
    found = open_job_file(job, "train.out")
    with found.file as file:
        assert (file.read(), found.size) == (b"epoch 1", 7)
    assert found.modified_s == (job / "train.out").stat().st_mtime


@pytest.mark.parametrize("path", ["plots/loss.csv", "./plots//loss.csv", "plots/../plots/loss.csv"])
def test_paths_inside_are_walked(job: Path, path: str) -> None:
    assert read(job, path) == "loss"


def test_the_directory_itself_may_be_reached_by_a_link(job: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(job)
    assert read(tmp_path / "link", "train.out") == "epoch 1"


@pytest.mark.parametrize("target", ["../train.out", "loss.csv", "{job}/train.out", "../plots/loss.csv"])
def test_links_that_stay_inside_are_followed(job: Path, target: str) -> None:
    (job / "plots" / "last").symlink_to(target.format(job=job))
    assert read(job, "plots/last") == (job / "plots" / "last").read_text()


def test_a_link_to_a_folder_inside_is_followed(job: Path) -> None:
    (job / "latest").symlink_to("plots")
    assert read(job, "latest/loss.csv") == "loss"
    assert read(job, "latest/../train.out") == "epoch 1"


@pytest.mark.parametrize(
    "path", ["../secret", "plots/../../secret", "/etc/passwd", "..", "plots/../..", "../job/train.out"]
)
def test_paths_that_leave_are_refused(job: Path, path: str) -> None:
    assert status(job, path) == 403


@pytest.mark.parametrize("target", ["/etc/passwd", "../secret", "plots/../../secret", "{job}/../secret", "{job}s/x"])
def test_links_that_leave_are_refused(job: Path, target: str) -> None:
    (job / "train.err").symlink_to(target.format(job=job))
    assert status(job, "train.err") == 403


def test_a_folder_that_is_a_link_out_is_refused(job: Path, tmp_path: Path) -> None:
    (job / "out").symlink_to(tmp_path)
    (job / "root").symlink_to("/")
    assert status(job, "out/secret") == 403
    assert status(job, "root/etc/passwd") == 403


@pytest.mark.parametrize("path", ["nothing", "plots/nothing", "train.out/x", "", ".", "plots", "a\0b", "x" * 300])
def test_what_is_no_file_is_not_found(job: Path, path: str) -> None:
    assert status(job, path) == 404


@pytest.mark.parametrize(
    ("link", "target", "path"),
    [("", "", ".xpm/handed.json"), ("", "", ".XPM/handed.json"), ("x", ".xpm", "x/handed.json"),
     ("x", "{job}/.xpm/handed.json", "x")],
)  # fmt: skip
def test_a_folder_that_is_left_out_is_not_entered_by_any_way(job: Path, link: str, target: str, path: str) -> None:
    (job / ".xpm").mkdir()
    (job / ".xpm" / "handed.json").write_text("{}")
    if link:
        (job / link).symlink_to(target.format(job=job))
    with pytest.raises(FileNotServedError, match="may hold secrets") as refused:
        open_job_file(job, path, without=".xpm")
    assert refused.value.status == 403
    open_job_file(job, "train.out", without=".xpm").file.close()


def test_a_circle_of_links_ends(job: Path) -> None:
    (job / "a").symlink_to("b")
    (job / "b").symlink_to("a")
    assert status(job, "a") == 404


def test_a_pipe_without_a_writer_is_refused_at_once(job: Path) -> None:
    os.mkfifo(job / "pipe")
    assert status(job, "pipe") == 403


def test_sockets_and_devices_are_refused(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(job)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        assert status(job, "socket") in (403, 404)
    if os.geteuid() == 0:
        os.mknod(job / "null", 0o600 | 0o020000, os.makedev(1, 3))
        assert status(job, "null") == 403


def test_no_descriptor_is_left_open(job: Path) -> None:
    (job / "out").symlink_to("/etc")
    before = set(os.listdir("/dev/fd"))
    for path in ("plots/loss.csv", "plots", "out/passwd", "nothing", "plots/../../secret"):
        try:
            open_job_file(job, path).file.close()
        except FileNotServedError:
            continue
    assert set(os.listdir("/dev/fd")) == before


def test_a_folder_that_changes_into_a_link_meanwhile_never_leads_out(job: Path, tmp_path: Path) -> None:
    """The job exchanges a folder and a file for links, again and again, while they are opened."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text(SECRET)
    (job / "real").mkdir()
    (job / "real" / "file").write_text("own")
    over = threading.Event()

    def exchange() -> None:
        while not over.is_set():
            for target in ("real", outside):
                (job / "next").symlink_to(target)
                (job / "next").rename(job / "folder")
            os.rename(job / "real", job / "away")
            os.symlink(outside, job / "real")
            os.remove(job / "real")
            os.rename(job / "away", job / "real")

    (job / "folder").symlink_to("real")
    thread = threading.Thread(target=exchange)
    thread.start()
    seen = set()
    try:
        for _ in range(3000):
            for path in ("folder/file", "real/file"):
                try:
                    seen.add(read(job, path))
                except FileNotServedError:
                    continue
    finally:
        over.set()
        thread.join()
    assert seen == {"own"}


def test_the_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(FileNotServedError("Nothing.", 404)))
    assert (str(error), error.status) == ("Nothing.", 404)
