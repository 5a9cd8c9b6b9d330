"""While code is copied, the lease is renewed, and orders are obeyed."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.kept_code import Kept, keep

from xpm_core.snapshot.trees.trees import Trees
from xpm_core.store.records import RenewCode
from xpm_core.workspace.job_spec import JobOptions
from xpm_worker.slot.code.opening import CodeOpener, NotOpened
from xpm_worker.slot.orders import Orders
from xpm_worker.system import clock


class Claims:
    """What an opener uses of a claimer: its replies are those that a test has put here."""

    def __init__(self, *replies: RenewCode | None, lease_s: float = 0.0) -> None:
        self.worker = SimpleNamespace(lease_s=lease_s)
        self.replies = list(replies)
        self.renewed: list[Any] = []
        self.joined = 0

    def renew(self, held: Any) -> RenewCode | None:
        self.renewed.append(held)
        return self.replies.pop(0) if self.replies else RenewCode.RENEWED

    def register_anew(self) -> None:
        self.joined += 1


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return keep(tmp_path / "workspace", tmp_path / "digits", {f"m{n}.py": "x = 1" for n in range(5)})


def opener(kept: Kept, host: Path, claims: Claims, orders: Orders) -> CodeOpener:
    return CodeOpener(claims, orders, Trees(kept.store.folder.parent, host))  # type: ignore[arg-type]


def held(**options: str) -> Any:
    spec = SimpleNamespace(options=JobOptions(**options))
    return SimpleNamespace(lease=SimpleNamespace(spec=spec), asked=clock.boot_time())


def test_the_lease_is_renewed_while_code_is_copied_and_not_once_it_is_there(kept: Kept, tmp_path: Path) -> None:
    claims, job = Claims(None, RenewCode.RENEWED), held(**kept.options)
    own = opener(kept, tmp_path / "host", claims, Orders())
    with own.opened(job, "rq") as code:
        assert os.path.isfile(code.here(f"{tmp_path}/digits/m0.py"))
    count = len(claims.renewed)
    assert count >= 5
    assert {id(each) for each in claims.renewed} == {id(job)}
    with own.opened(job, "rq"):
        assert len(claims.renewed) == count


def test_the_lease_is_not_renewed_before_it_is_time(kept: Kept, tmp_path: Path) -> None:
    claims = Claims(lease_s=600.0)
    with opener(kept, tmp_path / "host", claims, Orders()).opened(held(**kept.options), "rq"):
        assert not claims.renewed


@pytest.mark.parametrize(
    ("reply", "reason"),
    [(RenewCode.CANCEL, "cancelled"), (RenewCode.STALE, "lost"), (RenewCode.UNKNOWN, "lost")],
)
def test_a_job_that_is_taken_away_meanwhile_is_not_started(
    reply: RenewCode, reason: str, kept: Kept, tmp_path: Path
) -> None:
    own = opener(kept, tmp_path / "host", Claims(RenewCode.RENEWED, reply), Orders())
    with pytest.raises(NotOpened) as caught, own.opened(held(**kept.options), "rq"):
        pass
    assert caught.value.reason == reason
    assert os.listdir(tmp_path / "host" / "code") == []


def test_orders_end_the_copying(kept: Kept, tmp_path: Path) -> None:
    orders = Orders()
    own = opener(kept, tmp_path / "host", Claims(), orders)
    orders.stop_job("rq")
    with pytest.raises(NotOpened, match="cancelled"), own.opened(held(**kept.options), "rq"):
        pass
    orders.forget("rq")
    orders.signal(signal.SIGINT)  # a drain lets the job run
    with own.opened(held(**kept.options), "rq"):
        pass
    os.rename(tmp_path / "host", tmp_path / "away")
    orders.signal(signal.SIGTERM)
    with pytest.raises(NotOpened, match="released"), own.opened(held(**kept.options), "rq"):
        pass


def test_a_job_without_a_snapshot_uses_the_files_as_they_are(kept: Kept, tmp_path: Path) -> None:
    with opener(kept, tmp_path / "host", Claims(), Orders()).opened(held(), "rq") as code:
        assert not code.folders
    assert not (tmp_path / "host").exists()


def test_a_rest_keeps_the_slot_alive_and_an_order_ends_it(kept: Kept, tmp_path: Path) -> None:
    claims, orders = Claims(lease_s=0.3), Orders()
    own = opener(kept, tmp_path / "host", claims, orders)
    own.rest()
    assert claims.renewed
    assert set(claims.renewed) == {None}
    assert claims.joined == 1
    orders.signal(signal.SIGTERM)
    own.rest()
    assert claims.joined == 1
