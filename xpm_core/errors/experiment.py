"""Errors about experiments and jobs, their tokens, names and outputs."""

from __future__ import annotations

from xpm_core.errors.base import ShapedError, XpmError
from xpm_core.labels import short

_POINTED = 72
"""Characters of a filter that an error shows."""


class ExperimentError(ShapedError):
    """Raised when an experiment is used in a way, or at a place, that cannot work.

    Message:
        Train: submitted outside of any experiment, at sweep.py:42. Submit it inside of: with experiment(workdir, name)
        as xp: ...

    Remedy:
        Move the call to where the message says, or correct the option that it names.
    """


class FailedExperiment(XpmError):
    """Raised when an experiment is left, and not all jobs of its run are done.

    Attributes:
        name: The name of the experiment.
        report: The report of the failures.

    Message:
        digits  1 done   1 failed   in 12 s

    Remedy:
        Read the report that it prints: it names each failure, its log, and the command that runs these jobs again. Mend
        the cause and run the script again: jobs that are done do not run again.
    """

    def __init__(self, name: str, report: str) -> None:
        super().__init__(name, report)
        self.name, self.report = name, report

    def __str__(self) -> str:
        return self.report


class WorkersFailedError(XpmError):
    """Raised when the workers that a script started have ended by themselves.

    Message:
        Workers of this script: ended with exit code 3. Correct the problem that their log shows
        (workspace/.xpm/workers/20260131-120000-4711.log), and run the script again: submitted tasks wait.
        The end of the log: ...

    Remedy:
        Read the log that it names. Most often the server is out of reach, or the disk is full.
    """

    def __init__(self, log: str, code: int, tail: str) -> None:
        super().__init__(log, code, tail)
        self.log, self.code, self.tail = log, code, tail

    def __str__(self) -> str:
        return (
            f"Workers of this script: ended with exit code {self.code}. Correct the problem that their log shows "
            f"({self.log}), and run the script again: submitted tasks wait. The end of the log:\n{self.tail}"
        )


class WipedError(XpmError):
    """Raised when a script waits for jobs that the server no longer knows.

    Message:
        Train/3f9ac2e and 4 other jobs: the server no longer knows what was submitted (was it wiped?). Run the script
        again: jobs that are done in their directories do not run again.

    Remedy:
        Run the script again. Let the server keep its data: `--appendonly yes --maxmemory-policy noeviction`.
    """

    def __init__(self, job: str, count: int) -> None:
        super().__init__(job, count)
        self.job, self.count = job, count

    def __str__(self) -> str:
        others = f" and {self.count - 1} other jobs" if self.count > 1 else ""
        return (
            f"{self.job}{others}: the server no longer knows what was submitted (was it wiped?). "
            f"Run the script again: jobs that are done in their directories do not run again."
        )


class GracefulTimeout(XpmError):
    """Raised when the code of a task stops before its time is over. The job is ready again; no failure is counted.

    Example:
        if (left := self.remaining_time()) is not None and left < 300:
            save_checkpoint()
            raise GracefulTimeout("not enough time for another epoch")

    Message:
        not enough time for another epoch

    Remedy:
        Raise it in `execute`, after the state was saved: any worker that has more time goes on with the job.
    """

    def __init__(self, message: str = "stopped before the time is over") -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class NoJobError(ShapedError):
    """Raised when a function is called that works only in the process of a running job.

    Message:
        token_units('gpu'): no job runs in this process. Call it in execute(), in the job's own process.

    Remedy:
        Call the function in `execute`, and not in the script. For a trial without a job, pass what it would return.
    """

    def __init__(self, where: str) -> None:
        super().__init__(where, "no job runs in this process", "Call it in execute(), in the job's own process.")
        self.args = (where,)


class OutputError(ShapedError):
    """Raised when an output of a running task is watched or registered in a way that cannot work.

    Message:
        Train.watch_output: the Checkpoint made at sweep.py:42 is no part of the task. Watch a method of the task, or of
        a configuration that is a value of it.

    Remedy:
        Watch and register methods of the task or of its configurations, with arguments that are plain values.
    """


class UnknownDependencyError(ShapedError, LookupError):
    """Raised when a job needs a job that the server does not know.

    Message:
        Evaluate/77b01de: needs job 3f9ac2e, which the server does not know (was it wiped?). Run the script again: jobs
        that are done in their directories do not run again.

    Remedy:
        Run the script again, which submits the job that is needed, too.
    """

    def __init__(self, job: str, need: str) -> None:
        problem = f"needs job {short(need)}, which the server does not know (was it wiped?)"
        super().__init__(
            job, problem, "Run the script again: jobs that are done in their directories do not run again."
        )
        self.args = (job, need)


class TokenNameError(ShapedError, ValueError):
    """Raised when the name of a token, or of the variable for its units, has characters that are not allowed.

    Message:
        Token 'my gpu': not a usable name. Use letters, digits, '_', '.' and '-', at most 64.

    Remedy:
        Choose another name for the token, or for its variable.
    """

    def __init__(self, name: str, env: str = "") -> None:
        problem, remedy = "not a usable name", "Use letters, digits, '_', '.' and '-', at most 64."
        if env:
            problem, remedy = f"{env!r} is no name of a variable", "Use letters, digits and '_'."
        super().__init__(f"Token {name!r}", problem, remedy)
        self.args = (name, env)


class TokenClashError(ShapedError, ValueError):
    """Raised when a token exists with another scope or numbering than the one asked for.

    Message:
        Token 'gpu': exists on this server, but not with scope 'host' and numbered units. Use another name, or create it
        as it is.

    Remedy:
        Create it with the scope and units that it has, or use another name. Workspaces of one server share its tokens.
    """

    def __init__(self, name: str, scope: str, numbered: bool) -> None:
        units = "numbered units" if numbered else "units without numbers"
        problem = f"exists on this server, but not with scope {scope!r} and {units}"
        super().__init__(f"Token '{name}'", problem, "Use another name, or create it as it is.")
        self.args = (name, scope, numbered)


class TokenRequestError(XpmError, ValueError):
    """Raised when a task asks for less than one unit of a token, or for more units than the token has.

    Message:
        Token 'gpu': Train/3f9ac2e asks for 4 units, there are 2. Ask for at most 2, or resize it: createtoken('gpu',
        4).

    Remedy:
        Ask for fewer units, or create the token with more.
    """

    def __init__(self, token: str, who: str, asked: object, capacity: int) -> None:
        super().__init__(token, who, asked, capacity)
        self.token, self.who, self.asked, self.capacity = token, who, asked, capacity

    def __str__(self) -> str:
        if isinstance(self.asked, bool) or not isinstance(self.asked, int) or self.asked < 1:
            return f"Token '{self.token}': {self.who} asks for {self.asked!r} units. Ask for an integer of at least 1."
        if self.capacity == 0:
            return (
                f"Token '{self.token}': {self.who} asks for {self.asked} units, there is no such token on this server. "
                f"Create it: createtoken({self.token!r}, {self.asked})."
            )
        return (
            f"Token '{self.token}': {self.who} asks for {self.asked} units, there are {self.capacity}. "
            f"Ask for at most {self.capacity}, or resize it: createtoken({self.token!r}, {self.asked})."
        )


class TokenHoldingError(ShapedError, LookupError):
    """Raised when a job asks for its units of a token, and holds none.

    Message:
        token_units('gpu'): the job holds no units of 'gpu' (it holds no token). Ask for them before submit():
        task.add_dependencies(token.dependency(1)).

    Remedy:
        Ask for the units in the script, before the task is submitted.
    """

    def __init__(self, where: str, name: str, held: tuple[str, ...]) -> None:
        super().__init__(
            where,
            f"the job holds no units of {name!r} (it holds {', '.join(held) or 'no token'})",
            "Ask for them before submit(): task.add_dependencies(token.dependency(1)).",
        )
        self.args = (where, name, held)


class InvalidNameError(XpmError, ValueError):
    """Raised when the name of an experiment, a queue or an import has characters that it may not have.

    Message:
        Queue 'my queue': expected 1 to 100 letters, digits, '.', '_' or '-', with a letter or digit first. Choose
        another name.

    Remedy:
        Choose another name. It becomes the name of a folder or a part of a key.
    """

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(kind, name)
        self.kind, self.name = kind, name

    def __str__(self) -> str:
        return (
            f"{self.kind} {self.name!r}: expected 1 to 100 letters, digits, '.', '_' or '-', "
            f"with a letter or digit first. Choose another name."
        )


class FilterError(XpmError, ValueError):
    """Raised when a filter, a list of columns, or a list of keys to sort by cannot be understood.

    It names a tag, parameter or result that no job has, or a state, task or experiment that is unknown; or a value does
    not fit the values that jobs have; or the grammar is wrong.

    Message:
        --where: 'stat=failed': no job has a field, tag, parameter or result 'stat' at column 1. Did you mean 'state' or
        'started'?

    Remedy:
        Write what the message proposes. The column counts from 1; `pointer` shows it below the text. Names, operators
        and values are explained in docs/reference/filters.md.

    Attributes:
        where: What the text is, such as `--where`.
        text: The whole text.
        problem: What is wrong in it.
        column: Where in the text, from 1.
        remedy: What to do.

    Message:
        --where: 'lr>>0.01': expected a value after '>' at column 4. Write lr>0.01.

    Remedy:
        Correct the text where the message points. Put quotes around a value that has spaces or signs in it.
    """

    def __init__(self, where: str, text: str, problem: str, column: int, remedy: str) -> None:
        super().__init__(where, text, problem, column, remedy)
        self.where, self.text, self.problem, self.column, self.remedy = where, text, problem, column, remedy

    @property
    def pointer(self) -> str:
        """Two lines for a terminal: the text, or the part of it around the column, and a caret below the column."""
        start = max(self.column - 1 - _POINTED // 2, 0) if len(self.text) > _POINTED else 0
        part = self.text[start : start + _POINTED]
        shown = "".join(each if each.isprintable() else "?" for each in part.replace("\n", " ").replace("\t", " "))
        return f"{shown}\n{' ' * (self.column - 1 - start)}^"

    def __str__(self) -> str:
        text = self.text if len(self.text) <= _POINTED else self.text[: _POINTED - 1] + "…"
        return f"{self.where}: {text!r}: {self.problem} at column {self.column}. {self.remedy}"


class UnknownJobError(XpmError, LookupError):
    """Raised when no job in the workspace has the name that was given.

    Message:
        Job '3f2': no job has this name. Give the first characters of its identity, task/characters, tags, last or
        failed. List them: xpm jobs.

    Remedy:
        Name the job by more characters, and look whether you are in its workspace (`--workspace`).
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        if self.name.partition(":")[0] in ("csv", "hydra", "wandb"):
            problem = "it is a foreign run, so there is no job. Tables have it: xpm results NAME."
            return f"Job {self.name!r}: {problem}"
        ways = "Give the first characters of its identity, task/characters, tags, last or failed. "
        lacks = {"last": "there is no job yet. ", "failed": "no job has failed. "}
        wrong = lacks.get(self.name) or f"no job has this name. {ways}"
        return f"Job {self.name!r}: {wrong}List them: xpm jobs."


class ForgottenJobError(XpmError, LookupError):
    """Raised when the server does not know a job that the index of the workspace has. It was wiped, or restored.

    Message:
        Job 3f2a91c: the server does not know it any more. Run its script again.

    Remedy:
        Run the script again: it submits the job, and adopts what is done.
    """

    def __init__(self, job: str) -> None:
        super().__init__(job)
        self.job = job

    def __str__(self) -> str:
        return f"Job {short(self.job)}: the server does not know it any more. Run its script again."


class DebugError(ShapedError):
    """Raised when a job cannot be run in the foreground: what it runs is not known, or what it needs is not there.

    Message:
        Evaluate/9bc04e1: it needs Train 3f2a91c, which is failed. Run that first: xpm retry 3f2a91c.

    Remedy:
        Do what the message says. What a job needs must be done, and its directory must be there.
    """


class AmbiguousJobError(XpmError, LookupError):
    """Raised when a name means several jobs.

    Message:
        Job '3f2a': it names several: 3f2a91c (Train lr=0.1), 3f2ae77 (Train lr=0.2). Give the identity of one.

    Remedy:
        Name one of them by the first characters of its identity; if they are alike, give more of them.
    """

    def __init__(self, name: str, candidates: tuple[str, ...]) -> None:
        super().__init__(name, candidates)
        self.name, self.candidates = name, candidates

    def __str__(self) -> str:
        return f"Job {self.name!r}: it names several: {', '.join(self.candidates)}. Give the identity of one."


class UnknownAttemptError(XpmError, LookupError):
    """Raised when a job had no attempt of the number that was given.

    Message:
        Job 3f2a91c: there was no attempt 4, it had 2. Leave out --attempt, or see them: xpm show 3f2a91c.

    Remedy:
        See which attempts there were: `xpm show JOB`.
    """

    def __init__(self, job: str, attempt: int, latest: int) -> None:
        super().__init__(job, attempt, latest)
        self.job, self.attempt, self.latest = job, attempt, latest

    def __str__(self) -> str:
        had = f"it had {self.latest}" if self.latest else "none has ended yet"
        see = f"Leave out --attempt, or see them: xpm show {short(self.job)}."
        return f"Job {short(self.job)}: there was no attempt {self.attempt}, {had}. {see}"


class UnknownExperimentError(XpmError, LookupError):
    """Raised when no experiment in the workspace has the name that was given, or it has no jobs.

    Attributes:
        name: The name.
        known: The experiments that there are. If the name is one of them, it has foreign rows only.

    Message:
        Experiment 'digit': not in this workspace, there is digits. See them: xpm status.

    Remedy:
        Correct the name, or name the workspace of that experiment (`--workspace`).
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)
        self.name, self.known = name, known

    def __str__(self) -> str:
        if self.name in self.known:
            return f"Experiment {self.name!r}: has foreign rows only, and no jobs. See them: xpm results {self.name}."
        there = f"there is {', '.join(self.known)}" if self.known else "it has none"
        return f"Experiment {self.name!r}: not in this workspace, {there}. See them: xpm status."


class UnknownTokenError(XpmError, LookupError):
    """Raised when the server has no token of the name that was given.

    Message:
        Token 'gpuu': not on this server. Did you mean gpu? See them: xpm tokens.

    Remedy:
        Correct the name. A script creates a token by `connector.createtoken`.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)
        self.name, self.known = name, known

    def __str__(self) -> str:
        from difflib import get_close_matches  # late, because a job needs it never

        if not self.known:
            way = f"A script creates one: connector.createtoken({self.name!r}, N)."
            return f"Token {self.name!r}: this server has no tokens. {way}"
        near = get_close_matches(self.name, self.known, 3)
        hint = f". Did you mean {' or '.join(near)}?" if near else f", there is {', '.join(self.known)}."
        return f"Token {self.name!r}: not on this server{hint} See them: xpm tokens."


class ScriptError(ShapedError):
    """Raised when a script has no configuration of the name that was given, or fails when it is imported.

    Message:
        sweep.py:learn: there is no 'learn' in sweep.py. Name an object of the script.

    Remedy:
        Name an object of the script, or a function without arguments, that is or returns a configuration.
    """
