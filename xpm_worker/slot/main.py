"""The process of one slot: its connections, its parts, and how it begins and ends."""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import dataclass

from xpm_core import __version__
from xpm_core.index.writers import EndWriter, UnreportedEnds
from xpm_core.reading.jobs import JobReader
from xpm_core.server import connection
from xpm_core.snapshot.facts.of_worker import WorkerFacts
from xpm_core.store import keys
from xpm_core.store.jobs import Store
from xpm_core.store.records import WorkerId
from xpm_core.workspace.workspace import Workspace
from xpm_worker.mark import MarkedStore
from xpm_worker.settings import Settings
from xpm_worker.slot.claimer import Claimer
from xpm_worker.slot.devices import counted, own_devices
from xpm_worker.slot.orders import Orders
from xpm_worker.slot.rq_worker import SlotParts, XpmWorker
from xpm_worker.slot.runner import Runner
from xpm_worker.slot.starter_link import StarterLink

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SlotContext:
    """What all slots of a daemon share.

    Attributes:
        settings: The daemon's options.
        workspace: The workspace.
        url: Address of the Redis server.
        host: Name of this machine.
        control: The socket over which slots ask the fork server for starters.
        facts: What records say of this machine, and of its packages.
        ends_at: When slots hand their jobs back and leave, by the boot clock; None for never.
    """

    settings: Settings
    workspace: Workspace
    url: str
    host: str
    control: socket.socket
    facts: WorkerFacts
    ends_at: float | None = None


def work(context: SlotContext, name: str, daemon: str, replaces: str = "") -> bool:
    """Be a slot until it must leave.

    Args:
        context: What the slots of the daemon share.
        name: The name of this slot's worker; no other worker has it.
        daemon: The name of the daemon, under which its mark lies.
        replaces: The worker that died and whose place it takes; empty for none.

    Returns:
        Whether it was ordered to leave, from afar.
    """
    settings = context.settings
    devices = counted(own_devices(os.environ))
    identity = WorkerId(name, context.host, settings.queues, settings.lease_s, devices)
    client = connection.open(context.url, lease_s=settings.lease_s)
    waiting = connection.open(context.url, lease_s=settings.lease_s, blocking=True)
    store = MarkedStore(client, context.workspace, name, daemon)
    orders = Orders(context.ends_at)
    worker = XpmWorker(
        [keys.rq_name(context.workspace.id, queue) for queue in settings.queues],
        name=name,
        connection=client,
        worker_ttl=round(settings.lease_s * 4),
    )
    ends = EndWriter(context.workspace.path, name)
    unreported = UnreportedEnds(context.workspace, ends)
    store.on_losses = lambda identities: unreported.add(JobReader(client, store.w).read(identities))
    claimer = Claimer(store, Store(waiting, context.workspace.id), identity, orders, worker.register_anew, ends)
    starter = StarterLink(context.control, orders)
    runner = Runner(claimer, starter, context.workspace, orders, settings, context.facts)

    def join() -> None:
        path = str(context.workspace.path)
        store.join(
            identity, pid=os.getpid(), path=path, version=__version__, left_s=orders.left_s(), replaces=replaces
        )  # fmt: skip

    worker.set_parts(SlotParts(orders, claimer, runner, starter, join, settings.linger_s))
    worker.install_signal_handlers()
    starter.ensure()
    runner.hooks.find()
    worker.work(burst=settings.burst)
    starter.close()
    runner.hooks.close()
    client.close()
    waiting.close()
    return orders.ordered
