"""All that can be read of one workspace, over one connection."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from xpm_core.reading.events import EventReader
from xpm_core.reading.experiments import ExperimentReader
from xpm_core.reading.jobs import JobReader
from xpm_core.reading.tokens import TokenReader
from xpm_core.reading.workers import WorkerReader

if TYPE_CHECKING:
    from redis import Redis

    from xpm_core.reading.steering.queues import QueueReader
    from xpm_core.reading.survey.survey import SurveyReader
    from xpm_core.reading.why.reader import ReasonReader
    from xpm_core.store.jobs import Store


class Reader:
    """Reads one workspace; changes nothing.

    Args:
        client: A connection that returns bytes.
        workspace_id: From `Workspace.id`.

    Example:
        reader = Reader.of(store)
        failed = reader.jobs.counts()[State.FAILED]
    """

    def __init__(self, client: Redis, workspace_id: str) -> None:
        self.client, self.workspace_id = client, workspace_id
        self.jobs = JobReader(client, workspace_id)
        self.experiments = ExperimentReader(client, workspace_id)
        self.tokens = TokenReader(client, workspace_id)
        self.workers = WorkerReader(client, workspace_id)
        self.events = EventReader(client, workspace_id)

    @classmethod
    def of(cls, store: Store) -> Reader:
        """Read what a store writes, over its connection."""
        return cls(store.client, store.w)

    @cached_property
    def reasons(self) -> ReasonReader:
        """Reads why jobs do not run."""
        from xpm_core.reading.why.reader import ReasonReader  # late, because its many records are slow to import

        return ReasonReader(self.client, self.workspace_id)

    @cached_property
    def queues(self) -> QueueReader:
        """Reads the queues."""
        from xpm_core.reading.steering.queues import QueueReader  # late, because few ask for them

        return QueueReader(self.client, self.workspace_id)

    @cached_property
    def survey(self) -> SurveyReader:
        """Reads how the workspace stands."""
        from xpm_core.reading.survey.survey import SurveyReader  # late, because few look at all of it

        return SurveyReader(self.client, self.workspace_id)
