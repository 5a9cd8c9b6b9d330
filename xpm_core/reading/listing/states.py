"""The states of many jobs, at the least cost: only those that are not done are read, a page at a time.

A job that is done stands in no list of the server, because there are many of them. All others stand in one.

Owns: when these lists can be believed. A worker of an earlier xpm does not keep some of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from xpm_core.reading.jobs import JobReader
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.replies import text_of

if TYPE_CHECKING:
    from redis import Redis

PAGE = 1000
VERIFIED = 20_000
"""Up to how many jobs that are not done each state is read from the job itself, too."""
BEFORE, AFTER = (State.WAITING, State.BLOCKED), (State.FAILED, State.CANCELLED)
"""The states that have a list of their own (`keys.listed`): those before a job runs, and those after."""


class StateReader:
    """Reads the states of one workspace's jobs. The arguments are those of `Reader`."""

    def __init__(self, client: Redis, workspace_id: str) -> None:
        self._client, self._w = client, workspace_id

    def not_done(self) -> dict[str, State] | None:
        """Return the state of each job that is not done; None if the lists cannot be believed.

        A job that moves meanwhile may be missing, or have the state that it had. Whoever shows a job reads it anew.
        """
        if not self._believable():
            return None
        found: dict[str, tuple[State, str]] = {}
        for state, key in self._lists():
            for identity, _ in self._client.zscan_iter(key, count=PAGE):
                found[text_of(identity)] = state, key
        if len(found) > VERIFIED:
            return {identity: state for identity, (state, _) in found.items()}
        return self._verified(found)

    def _verified(self, found: dict[str, tuple[State, str]]) -> dict[str, State] | None:
        """The states as the jobs themselves have them; None if a job still stands in a list of another state."""
        known = {each: state for each, (state, _) in JobReader(self._client, self._w).states(list(found)).items()}
        moved = [identity for identity, (state, _) in found.items() if known.get(identity) is not state]
        with self._client.pipeline(transaction=False) as pipe:
            for identity in moved:
                pipe.zscore(found[identity][1], identity)
                pipe.hget(keys.job(self._w, identity), "state")
            replies = iter(pipe.execute())
        for identity in moved:
            stands, state = next(replies), next(replies)
            if stands is not None and text_of(state or b"") != found[identity][0].value:
                return None
        return {identity: state for identity, state in known.items() if state is not State.DONE}

    def listed(self) -> set[str]:
        """Return the identities of all jobs in the lists of `BEFORE` and `AFTER`, also of those that do not belong."""
        found = (keys.listed(self._w, state.value) for state in (*BEFORE, *AFTER))
        return {text_of(identity) for key in found for identity, _ in self._client.zscan_iter(key, count=PAGE)}

    def newest(self, state: State, most: int) -> list[str]:
        """Return the identities of the jobs that came into a state of `BEFORE` or `AFTER` last, the newest first."""
        found: Any = self._client.zrange(keys.listed(self._w, state.value), 0, most - 1, desc=True)
        return list(map(text_of, found))

    def _believable(self) -> bool:
        """Whether the lists are as long as the counts say. A worker of an earlier xpm changes only the counts."""
        states = [*BEFORE, *AFTER]
        with self._client.pipeline(transaction=True) as pipe:
            pipe.hmget(keys.counts(self._w), [state.value for state in states])
            for state in states:
                pipe.zcard(keys.listed(self._w, state.value))
            counts, *lengths = pipe.execute()
        return [int(count or 0) for count in counts] == lengths

    def _lists(self) -> Iterator[tuple[State, str]]:
        """The lists in the order in which a job passes through them, so that a job that moves on is seen once more."""
        for state in BEFORE:
            yield state, keys.listed(self._w, state.value)
        yield State.DELAYED, keys.delayed(self._w)
        for queue in map(text_of, self._client.smembers(keys.queues(self._w))):
            for demand in map(text_of, self._client.zrange(keys.lines(self._w, queue), 0, -1)):
                yield State.READY, keys.line(self._w, queue, demand)
        yield State.RUNNING, keys.leases(self._w)
        for state in AFTER:
            yield state, keys.listed(self._w, state.value)
