"""Only one removal at a time, and none that was stopped for long."""

from __future__ import annotations

import pytest
from helpers.cleanings import Cleaner

from xpm_core.cleaning.removing import collection
from xpm_core.errors import CollectionError
from xpm_core.store import keys

pytestmark = pytest.mark.redis


def test_a_second_collection_is_refused_with_whose_the_first_is(cleaner: Cleaner) -> None:
    said = r"^here: another xpm gc removes files there, process \d+ of "
    with cleaner.collection(), pytest.raises(CollectionError, match=said), cleaner.collection():
        pass
    with cleaner.collection():
        pass


def test_a_collection_that_was_stopped_too_long_does_not_go_on(
    cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = cleaner.lab
    lab.end("a")
    with cleaner.collection() as opened:
        lab.client.delete(keys.collection(lab.workspace.id))
        monkeypatch.setattr(collection, "RENEW_S", -1.0)
        with pytest.raises(CollectionError, match="was stopped for more than 120 s"):
            opened.go_on()
        with pytest.raises(CollectionError):
            opened.forget(lab.identity("a"), "", ())


def test_a_collection_goes_on_as_long_as_it_says_so(cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch) -> None:
    key = keys.collection(cleaner.lab.workspace.id)
    with cleaner.collection() as opened:
        cleaner.lab.client.pexpire(key, 60_000)
        opened.go_on()  # it is too early to say it again
        assert cleaner.lab.client.pttl(key) <= 60_000
        monkeypatch.setattr(collection, "RENEW_S", -1.0)
        opened.go_on()
        assert cleaner.lab.client.pttl(key) > 60_000
    assert not cleaner.lab.client.exists(key)
