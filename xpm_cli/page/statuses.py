"""The status of HTTP that goes with each error of xpm."""

from __future__ import annotations

from xpm_core.errors import (
    AmbiguousJobError,
    AmbiguousWorkerError,
    EmbeddedServerError,
    FilterError,
    ForgottenJobError,
    InvalidNameError,
    RedisUnavailableError,
    RedisUnfitError,
    ResultsError,
    ServerNotFoundError,
    UnknownAttemptError,
    UnknownColumnError,
    UnknownExperimentError,
    UnknownJobError,
    UnknownQueueError,
    UnknownTokenError,
    UnknownWorkerError,
    WorkspaceError,
    XpmError,
)

STATUSES: dict[tuple[type[XpmError], ...], int] = {
    (UnknownJobError, ForgottenJobError, UnknownExperimentError, UnknownAttemptError): 404,
    (UnknownWorkerError, UnknownQueueError, UnknownTokenError): 404,
    (AmbiguousJobError, AmbiguousWorkerError, FilterError, InvalidNameError, ResultsError, UnknownColumnError): 400,
    (WorkspaceError, RedisUnavailableError, RedisUnfitError, ServerNotFoundError, EmbeddedServerError): 503,
}
"""Not there; asked wrongly; and a server that cannot be had. All else is a fault of the machine or of xpm."""
FAULT = 500


def status_of(error: XpmError) -> int:
    """The status of the answer that says an error."""
    return next((status for kinds, status in STATUSES.items() if isinstance(error, kinds)), FAULT)
