"""The process of one slot: its connections, its worker, and the way from one to the other."""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from xpm_core.server import connection
from xpm_core.store import keys
from xpm_core.store.jobs import Store
from xpm_core.store.records import WorkerId
from xpm_core.workspace.workspace import Workspace
from xpm_worker.settings import Settings
from xpm_worker.slot.claimer import Claimer
from xpm_worker.slot.devices import counted, own_devices
from xpm_worker.slot.orders import Orders
from xpm_worker.slot.rq_worker import Equipment, XpmWorker
from xpm_worker.slot.runner import Runner
from xpm_worker.slot.starter_link import Starter

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """What all slots of a daemon share: where they work, and the way to the mother of their starters.

    `ends_at` is when they hand back what runs, and leave, by the boot clock; None for never.
    """

    settings: Settings
    workspace: Workspace
    url: str
    host: str
    control: socket.socket
    ends_at: float | None = None


def work(place: Place, name: str) -> None:
    """Be one worker until it is to leave.

    Args:
        place: Where.
        name: The worker's name, which no other has.
    """
    settings = place.settings
    devices = counted(own_devices(os.environ))
    identity = WorkerId(name, place.host, settings.queues, settings.lease_s, devices)
    client = connection.open(place.url, lease_s=settings.lease_s)
    waiting = connection.open(place.url, lease_s=settings.lease_s, blocking=True)
    store = Store(client, place.workspace.id, alone=True)
    orders = Orders(place.ends_at)
    worker = XpmWorker(
        [keys.rq_name(place.workspace.id, queue) for queue in settings.queues],
        name=name,
        connection=client,
        worker_ttl=round(settings.lease_s * 4),
    )
    claimer = Claimer(store, Store(waiting, place.workspace.id), identity, orders, worker.register_anew)
    starter = Starter(place.control, orders)
    runner = Runner(claimer, starter, place.workspace, orders, settings)

    def join() -> None:
        store.join(identity, pid=os.getpid(), path=str(place.workspace.path), version=_version())

    worker.equip(Equipment(orders, claimer, runner, starter, join, settings.linger_s))
    worker.install_signal_handlers()
    starter.ensure()
    worker.work(burst=settings.burst)
    starter.close()
    client.close()
    waiting.close()


def _version() -> str:
    try:
        return version("xpm")
    except PackageNotFoundError:
        return "unknown"
