"""Every key in Redis, its type and its fields: the glossary.

W is a workspace's id (12 hex characters), J a job's identity (64 hex), E an execution's id. `lua/include/keys.lua`
builds the same keys for scripts; a test holds the two equal. Keys under `rq:` are the view for RQ's tools: the scripts
write them beside our own keys, and never read them.
"""

from __future__ import annotations

seq = "xpm:seq"
"""string: counts the jobs that arrive on this server, which orders jobs of one priority."""
tokens = "xpm:tokens"
"""set: names of tokens."""
passes = "xpm:passes"
"""string: how often the head of a line may be passed before its tokens are kept for it; 200 times if it is absent."""
suspended = "rq:suspended"
"""string: present while `rq suspend` is in force."""
rq_queues = "rq:queues"
"""set: keys of RQ's queues."""


def token(name: str) -> str:
    """hash: capacity, used (used@HOST where scope is host), scope (server, host), units, env, created.

    units is 1 if they are numbered; env is a variable that names them to the job.
    """
    return f"xpm:token:{name}"


def token_holders(name: str) -> str:
    """hash: `W:J:E` -> `n|host|units`; what each execution holds."""
    return f"xpm:token:{name}:holders"


def token_queues(name: str) -> str:
    """hash: `W|queue` -> how many lines of that queue ask for the token."""
    return f"xpm:token:{name}:queues"


def token_reserved(name: str) -> str:
    """hash: `W:J` -> `order until_ms`; jobs passed too often, for which the token is kept."""
    return f"xpm:token:{name}:reserved"


def job(w: str, j: str) -> str:
    """hash: a job.

    Its `JobSpec`: task, name, directory, payload, options (JSON, with the signature). Further: state, tags (JSON),
    queue, demand (`cpu=2,gpu=1`), project (the tag of the project whose code it needs), missing (tags of what workers
    lacked for it, joined by dots), priority, order (its place in its line), pending and broken (how many dependencies
    are not done; failed, blocked or cancelled), root (the job that blocks it), attempts, failures, losses, max_retries,
    max_losses, backoff_ms, execution and worker and host (the latest), lease_ms, submitted, started, ended, due (ms),
    reason, error (JSON), replaces (the execution that somebody asked to replace), needed (how many jobs that are not
    done need it), passed (how many later jobs passed it while it was first in line), cancel (1 once asked), progress
    (JSON, its latest), planned (when the submission was made that has decided how it runs, ms, if that is a later one
    than the first).

    A done job has only the fields that `lua/include/handed.lua` keeps, and none that is empty or 0. Its directory has
    the rest.
    """
    return f"xpm:{w}:job:{j}"


def needs(w: str, j: str) -> str:
    """hash: identity of a dependency -> p (not done), d (done), b (failed, blocked or cancelled); until it is done."""
    return f"xpm:{w}:job:{j}:needs"


def dependents(w: str, j: str) -> str:
    """list: identities of the jobs that need this one. Expires a day after the last of them is done."""
    return f"xpm:{w}:job:{j}:dependents"


def queues(w: str) -> str:
    """set: queue names that were ever used."""
    return f"xpm:{w}:queues"


def paused(w: str) -> str:
    """hash: paused queue -> JSON {since (ms), by, why}. Nothing is claimed from it."""
    return f"xpm:{w}:paused"


def lines(w: str, queue: str) -> str:
    """zset: name of each line with a ready job -> order of its head."""
    return f"xpm:{w}:lines:{queue}"


def line(w: str, queue: str, demand: str) -> str:
    """zset: ready jobs of one queue, one demand and one project -> order; `demand` is the name of the line.

    `cpu=2`; `cpu=2|3600`, if a worker must have so many seconds left; `cpu=2|3600|project.lack`, if workers lacked
    something for its jobs: see `lua/include/lines.lua`.
    """
    return f"xpm:{w}:line:{queue}:{demand}"


def delayed(w: str) -> str:
    """zset: jobs whose retry waits -> when it is due, ms."""
    return f"xpm:{w}:delayed"


def listed(w: str, state: str) -> str:
    """zset: jobs that are waiting, blocked, failed or cancelled -> since when, ms; one for each of these states.

    A worker of an xpm before this key leaves it as it is. Readers compare it with `counts`, and with the jobs.
    """
    return f"xpm:{w}:listed:{state}"


def leases(w: str) -> str:
    """zset: running jobs -> when their lease ends, ms."""
    return f"xpm:{w}:leases"


def execution(w: str, e: str) -> str:
    """hash: job, ended (done, failed, retry, cancelled, lost, released; absent while it runs).

    Kept 10 minutes after its end.
    """
    return f"xpm:{w}:execution:{e}"


def clock(w: str) -> str:
    """hash: called (when the last call came, ms), rest_until (no lease expires before, ms)."""
    return f"xpm:{w}:clock"


def worklist(w: str) -> str:
    """list: `J cursor`; jobs whose dependents, from that place on, have still to learn their state."""
    return f"xpm:{w}:worklist"


def events(w: str) -> str:
    """stream: event (states.Event), job, task, at (ms), and as the event needs them:

    execution, worker, attempt, root, reason, error (JSON), due (ms).
    """
    return f"xpm:{w}:events"


def counts(w: str) -> str:
    """hash: state -> number of jobs."""
    return f"xpm:{w}:counts"


def workers(w: str) -> str:
    """zset: worker name -> alive until, ms."""
    return f"xpm:{w}:workers"


def worker(w: str, name: str) -> str:
    """hash: name, host, pid, queues, path (of the workspace there), version, lease_ms, started, until (ms, if it ends),
    devices (`CUDA_VISIBLE_DEVICES=2,...`: how many its own variables list), leaving (since when it takes no more jobs,
    ms, once it was told to leave), signalled (1 if it leaves because of a signal, or because its time is over), orders
    (1 if its version takes orders from afar), order (drain, stop or stop_now) and ordered_by, once it was ordered to
    leave, mark (JSON of a `diagnosis.mark.Mark`: its daemon's mark, as it reads it in its workspace).

    Expires four leases after the worker's last call; with an order, a day after it.
    """
    return f"xpm:{w}:worker:{name}"


def refusals(w: str, daemon: str) -> str:
    """hash: `project.lack` (tags) -> JSON of a `refusals.Refusal`: what a daemon lacks for jobs of a project.

    Expires four leases after the last call of the daemon's workers. The daemon has the name of its workers, without
    `.number`.
    """
    return f"xpm:{w}:refusals:{daemon}"


def serving(w: str, queue: str) -> str:
    """zset: workers that serve a queue -> alive until, ms."""
    return f"xpm:{w}:serving:{queue}"


def idle(w: str, queue: str) -> str:
    """zset: workers that block and may be woken -> until when, ms."""
    return f"xpm:{w}:idle:{queue}"


def wake(w: str, name: str) -> str:
    """list: wake-ups for one worker; a hint, never a job."""
    return f"xpm:{w}:wake:{name}"


def origins(w: str) -> str:
    """hash: class -> names of its file, `project:path`, one a line. A file that shares none of them is refused."""
    return f"xpm:{w}:origins"


def experiments(w: str) -> str:
    """zset: experiment name -> when its last run began, ms."""
    return f"xpm:{w}:experiments"


def experiment(w: str, name: str) -> str:
    """hash: created, run (id of the last), started (ms), cursor (last event before it), about (JSON)."""
    return f"xpm:{w}:experiment:{name}"


def experiment_jobs(w: str, name: str) -> str:
    """set: identities of an experiment's jobs. Every job is in at least one such set."""
    return f"xpm:{w}:experiment:{name}:jobs"


def collection(w: str) -> str:
    """hash: id, until (ms), about (JSON), going (the job whose directory is being removed); while `xpm gc` removes."""
    return f"xpm:{w}:collection"


def named(w: str) -> str:
    """set: jobs that somebody has submitted since the collection began; these are not removed."""
    return f"xpm:{w}:named"


def forgotten(w: str, j: str) -> str:
    """string: the execution with which a job was removed, for an hour. Its marker does not count any more."""
    return f"xpm:{w}:forgotten:{j}"


def view_stale(w: str, queue: str) -> str:
    """set: RQ ids that stand in a queue's list though their jobs have left it; see `lua/include/listing.lua`."""
    return f"xpm:{w}:view:{queue}:stale"


def view_missing(w: str, queue: str) -> str:
    """set: RQ ids of ready jobs that do not stand in the list; as many as in `view_stale`."""
    return f"xpm:{w}:view:{queue}:missing"


def rq_name(w: str, queue: str) -> str:
    """The name under which RQ's tools see a queue (not a key)."""
    return f"{queue}@{w}"


def rq_id(w: str, j: str) -> str:
    """The id under which RQ's tools see a job (not a key)."""
    return f"{w}-{j}"


def rq_job(w: str, j: str) -> str:
    """hash: the fields of a job that RQ's tools read."""
    return f"rq:job:{w}-{j}"


def rq_queue(w: str, queue: str) -> str:
    """list: RQ ids of the ready jobs."""
    return f"rq:queue:{queue}@{w}"


def rq_registry(kind: str, w: str, queue: str) -> str:
    """zset: one of RQ's registries: wip, deferred, scheduled, finished, failed, canceled."""
    return f"rq:{kind}:{queue}@{w}"


def rq_execution(w: str, j: str, e: str) -> str:
    """hash: the fields of an execution that RQ's tools read."""
    return f"rq:execution:{w}-{j}:{e}"


def rq_executions(w: str, j: str) -> str:
    """zset: executions of a job -> +inf while they run."""
    return f"rq:executions:{w}-{j}"


def rq_worker(name: str) -> str:
    """hash: made by RQ's registration; the scripts only touch it where it exists."""
    return f"rq:worker:{name}"


def rq_worker_executions(name: str) -> str:
    """set: `RQ id:E` of the job that a worker runs."""
    return f"rq:worker:{name}:executions"


def rq_pubsub(name: str) -> str:
    """channel: RQ's commands to one worker."""
    return f"rq:pubsub:{name}"
