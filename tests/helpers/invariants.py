"""What must hold for a workspace's keys at any moment, whatever happened before. Models and storms check it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import redis

from xpm_core.reading.jobs import Job, parse_demand
from xpm_core.reading.reader import Reader
from xpm_core.states import Event, State
from xpm_core.store import keys

RQ_STATUS = {
    State.WAITING: "deferred", State.BLOCKED: "deferred", State.READY: "queued", State.DELAYED: "scheduled",
    State.RUNNING: "started", State.DONE: "finished", State.FAILED: "failed", State.CANCELLED: "canceled",
}  # fmt: skip
REGISTRIES = ("deferred", "scheduled", "finished", "failed", "canceled")
PAGE = 500
"""How many jobs are asked about at once."""


def check_everything(client: redis.Redis, w: str) -> None:
    """All of the checks below, for a workspace whose work list is empty."""
    jobs = {job.identity: job for job in Reader(client, w).jobs.read(Reader(client, w).jobs.identities())}
    check_places(client, w, jobs)
    check_counts(client, w, jobs)
    check_tokens(client, w, jobs)
    check_dependencies(client, w, jobs)
    check_events(client, w, jobs)
    check_view(client, w, jobs)


def check_places(client: redis.Redis, w: str, jobs: dict[str, Job]) -> None:
    """Every job is in exactly one place: a line, delayed, leased, listed, or, if it is done, in none."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for queue in map(bytes.decode, client.smembers(keys.queues(w))):
        index = dict(client.zrange(keys.lines(w, queue), 0, -1, withscores=True))
        found = {key.decode() for key in client.scan_iter(keys.line(w, queue, "*"), count=1000)}
        assert found == {keys.line(w, queue, demand.decode()) for demand in index}
        for demand, order in index.items():
            members = client.zrange(keys.line(w, queue, demand.decode()), 0, -1, withscores=True)
            assert members[0][1] == order, "a line's index names the order of its head"
            for member, _ in members:
                job = jobs[member.decode()]
                assert (job.queue, job.demand) == (queue, parse_demand(demand.decode()))
                places[job.identity].append("ready")
    sets = {"delayed": keys.delayed(w), "running": keys.leases(w)}
    sets |= {state: keys.listed(w, state) for state in ("waiting", "blocked", "failed", "cancelled")}
    with client.pipeline(transaction=False) as pipe:
        for key in sets.values():
            pipe.zrange(key, 0, -1)
        for name, found in zip(sets, pipe.execute(), strict=True):
            for member in found:
                places[member.decode()].append(name)
    for identity, job in jobs.items():
        assert places[identity] == ([] if job.state is State.DONE else [job.state.value]), (job, places[identity])


def check_counts(client: redis.Redis, w: str, jobs: dict[str, Job]) -> None:
    """The counts by state are those of the jobs."""
    found = Counter(job.state for job in jobs.values())
    assert {state: n for state, n in Reader(client, w).jobs.counts().items() if n} == dict(found)


def check_tokens(client: redis.Redis, w: str, jobs: dict[str, Job]) -> None:
    """What is held is what running jobs ask for; units are numbered apart; each waiting line is known to its token."""
    held: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for job in jobs.values():
        if job.state is State.RUNNING:
            for token, n in job.demand.items():
                held[token][f"{w}:{job.identity}:{job.execution}"] = n
    lines: Counter[tuple[str, str]] = Counter()
    for queue in map(bytes.decode, client.smembers(keys.queues(w))):
        for demand in client.zrange(keys.lines(w, queue), 0, -1):
            lines.update((token, queue) for token in parse_demand(demand.decode()))
    for token in Reader(client, w).tokens.read():
        assert token.holders == held[token.name], token
        assert sum(token.used.values()) == sum(token.holders.values()), token
        queues = {key.decode(): int(n) for key, n in client.hgetall(keys.token_queues(token.name)).items()}
        assert queues == {f"{w}|{queue}": n for (name, queue), n in lines.items() if name == token.name}
        units = [value.decode().split("|")[2] for value in client.hvals(keys.token_holders(token.name))]
        numbers = [number for part in units for number in part.split(",") if number]
        assert len(numbers) == len(set(numbers)), (token, numbers)


def check_dependencies(client: redis.Redis, w: str, jobs: dict[str, Job]) -> None:
    """No job waits for dependencies that are all done, none is ready before them, blocked names a true root."""
    assert client.exists(keys.worklist(w)) == 0
    needs = Reader(client, w).jobs.needs_of(list(jobs))
    ended = (State.FAILED, State.CANCELLED)
    for job in jobs.values():
        states = [jobs[need].state for need in needs[job.identity]]
        broken = any(state in (State.FAILED, State.BLOCKED, State.CANCELLED) for state in states)
        done = all(state is State.DONE for state in states)
        if job.state is State.WAITING:
            assert not broken, job
            assert not done, job
        elif job.state is State.BLOCKED:
            assert broken, job
            assert jobs[job.root].state in ended, job
            blocked = {jobs[need].root for need in needs[job.identity] if jobs[need].state is State.BLOCKED}
            assert job.root in blocked | {need for need in needs[job.identity] if jobs[need].state in ended}, job
        elif job.state in (State.READY, State.DELAYED):
            assert done, job
    check_dependents(client, w, needs)


def check_dependents(client: redis.Redis, w: str, needs: dict[str, list[str]]) -> None:
    """Each job knows all that need it; it knows them for good while one of them is not done."""
    needed: defaultdict[str, set[str]] = defaultdict(set)
    for identity, found in needs.items():
        for need in found:
            needed[need].add(identity)

    def ask(pipe: redis.client.Pipeline, identity: str) -> None:
        pipe.hget(keys.job(w, identity), "needed")
        pipe.lrange(keys.dependents(w, identity), 0, -1)
        pipe.ttl(keys.dependents(w, identity))

    for identity, (count, dependents, ttl) in _answers(client, needs, ask):
        known = list(map(bytes.decode, dependents))
        assert int(count or 0) == len(needed[identity]), identity
        assert len(known) == len(set(known)), identity
        assert needed[identity] <= set(known), identity
        assert (ttl == -1) == bool(needed[identity]), identity


def _answers(
    client: redis.Redis, identities: Iterable[str], ask: Callable[[redis.client.Pipeline, str], object]
) -> Iterator[tuple[str, list[Any]]]:
    """What the server says of each job, many in one round trip. `ask` sends the same commands for each."""
    rest = iter(identities)
    while page := list(islice(rest, PAGE)):
        with client.pipeline(transaction=False) as pipe:
            for identity in page:
                ask(pipe, identity)
            answers = pipe.execute()
        each = len(answers) // len(page)
        for number, identity in enumerate(page):
            yield identity, answers[number * each : (number + 1) * each]


def check_events(client: redis.Redis, w: str, jobs: dict[str, Job]) -> None:
    """The states of all jobs can be rebuilt from the events alone."""
    states: dict[str, State] = {}
    cursor = "0-0"
    while records := Reader(client, w).events.after(cursor):
        for record in records:
            if record.event is Event.STARTED:
                assert states[record.job] is State.READY, record
                states[record.job] = State.RUNNING
            elif record.event is Event.REMOVED:
                assert states.pop(record.job) in (State.DONE, State.FAILED, State.CANCELLED), record
            elif record.event.value in {state.value for state in State}:
                states[record.job] = State(record.event.value)
        cursor = records[-1].cursor
    assert states == {identity: job.state for identity, job in jobs.items()}


def check_view(client: redis.Redis, w: str, jobs: dict[str, Job]) -> None:
    """RQ's tools are shown the truth: status, the queue list's length, the registries."""
    queues: defaultdict[str, list[Job]] = defaultdict(list)
    for identity, [status] in _answers(
        client, jobs, lambda pipe, identity: pipe.hget(keys.rq_job(w, identity), "status")
    ):
        job = jobs[identity]
        queues[job.queue].append(job)
        assert status is not None
        assert status.decode() == RQ_STATUS[job.state], job
    for queue, members in queues.items():
        ready = [keys.rq_id(w, job.identity) for job in members if job.state is State.READY]
        with client.pipeline(transaction=False) as pipe:
            pipe.lrange(keys.rq_queue(w, queue), 0, -1)
            pipe.smembers(keys.view_stale(w, queue))
            pipe.smembers(keys.view_missing(w, queue))
            for kind in (*REGISTRIES, "wip"):
                pipe.zrange(keys.rq_registry(kind, w, queue), 0, -1)
            listed, stale, missing, *registries = [list(map(bytes.decode, found)) for found in pipe.execute()]
        assert len(listed) == len(ready), queue
        assert sorted([*(set(listed) - set(stale)), *missing]) == sorted(ready), queue
        *others, started = map(set, registries)
        for kind, found in zip(REGISTRIES, others, strict=True):
            assert found == {keys.rq_id(w, job.identity) for job in members if RQ_STATUS[job.state] == kind}, kind
        running = [job for job in members if job.state is State.RUNNING]
        assert started == {f"{keys.rq_id(w, job.identity)}:{job.execution}" for job in running}
