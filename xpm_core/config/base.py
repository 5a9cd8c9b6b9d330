"""What a script derives from: Config, Task, ResumableTask, LightweightTask."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from xpm_core.config.attributes import AskedConfig, AskedTask, experiments, job_of
from xpm_core.config.composition import compose
from xpm_core.config.live_objects import instance
from xpm_core.errors import DeclarationError, ExperimentError, OutputError, ParameterTypeError, SealedError, XpmError
from xpm_core.job import outputs
from xpm_core.job import running as job
from xpm_core.language.classes.assignment import assign, copied, refuse_delete, restored, values_of
from xpm_core.language.classes.subscripts import with_types
from xpm_core.language.classes.metaclass import ConfigMeta, ours
from xpm_core.language.graph import tags
from xpm_core.language.graph.state import STATE, ConfigState, is_configuration, state
from xpm_core.language.identity.seal import foreseen, missing
from xpm_core.language.parameters.calls import refuse_callback
from xpm_core.language.parameters.schema import shown
from xpm_core.tracebacks.callsite import caller, written
from xpm_core.tracebacks.edges import cut, edge

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")
V = TypeVar("V", bound="Config")
W = TypeVar("W")


class Config(AskedConfig, metaclass=ConfigMeta):
    """Typed parameters. `Model.C(layers=3)` makes a configuration: a description, which experiments name and submit.

    What a job gets, and `instance()` returns, is a live object of the same class: its parameters are plain attributes,
    `__post_init__` has run, and it can be given any attribute.

    Example:
        >>> class Model(Config):
        ...     layers: Param[int] = 3
        ...     "Number of layers"
        >>> Model.C(layers=5).layers
        5
    """

    __xpm_base__: ClassVar[bool] = True

    @edge
    def tag(self, name: str, value: tags.Label) -> Self:
        """Give the configuration a tag of any name; returns the configuration."""
        tags.set_tag(self, name, value)
        return self

    def tags(self) -> dict[str, tags.Label]:
        """The tags of the configuration and of all that it was made from."""
        return tags.collect(self)

    def missing(self) -> list[str]:
        """Paths of the parameters that have no value yet, here and below: `['Learn.model.layers']`."""
        return missing(self)

    @edge
    def __identifier__(self) -> str:
        """Its `identity`, also where the class has a parameter of that name."""
        return foreseen(self)

    @edge
    def instance(self) -> Self:
        """A live object, outside of any job. The configuration is sealed by it.

        Raises:
            MissingParameterError: A parameter has no value.
            ValidationError: A `__validate__` refuses the values.
        """
        return instance(self)

    @edge
    def copy(self, **values: Any) -> Self:
        """A copy that can be assigned, with other values for some parameters. Nested configurations are shared."""
        return copied(self, values)  # type: ignore[no-any-return]

    @classmethod
    @edge
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """A configuration of plain values, as JSON and YAML have them, or of what OmegaConf loaded.

        Texts become paths, members of an Enum (by name) and dates, and lists tuples and sets, where the parameters
        say so; nothing else is converted. A dict is a configuration; its entry `class` names a class derived from the
        one that is declared, or one of several. What has no entry keeps its default, or is missing.

        Raises:
            ConfigurationError: An entry does not fit, or there is no such parameter; tells its path.

        Example:
            >>> Learn.from_dict({"epochs": 3, "optimizer": {"class": "Adam", "lr": 0.1}})
        """
        from xpm_core.language import dict_form  # which most scripts do without

        return dict_form.from_dict(cls, values)

    @classmethod
    @edge
    def from_yaml(cls, file: str | PathLike[str] | IO[str]) -> Self:
        """A configuration of a YAML file, or of one that is open; needs PyYAML (`pip install 'xpm[yaml]'`).

        As `from_dict`; errors name the line in the file.

        Raises:
            YamlError: It is no YAML, or has a key twice.
            ConfigurationError: An entry does not fit, or there is no such parameter; tells its path.
        """
        from xpm_core.language import dict_form

        return dict_form.from_yaml(cls, file)

    @edge
    def to_dict(self) -> dict[str, Any]:
        """The values as plain ones, of which `from_dict` makes an equal configuration. Tags are not told.

        A configuration that is shared is one dict, which is shared.

        Raises:
            ParameterValueError: Something that counts cannot be told so, such as what a task has made.
        """
        from xpm_core.language import dict_form

        return dict_form.to_dict(self)

    @edge
    def register_task_output(self, method: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        """In a job: an output is there, while the task still runs.

        The functions that watch for it (`Task.watch_output`) are called in the script with what `method(dep, *args,
        **kwargs)` returns there. It is kept in the job's directory, so that later runs of the script hear of it, too.

        Args:
            method: A method of the task, or of one of its configurations. It is not called here.
            args: Numbers, texts, paths, and lists and dicts of them.
            kwargs: As `args`.

        Raises:
            NoJobError: No job runs in this process.
            OutputError: The method is none of the task's, or the arguments cannot be told.

        Example:
            def checkpoint(self, dep, *, step: int):
                return dep(Checkpoint.C(model=self.model, step=step))

            def execute(self):
                ...
                self.register_task_output(self.checkpoint, step=10)
        """
        outputs.register(method, args, kwargs)

    @edge
    def __matmul__(self, inner: Config) -> Self:
        if not is_configuration(self) or not is_configuration(inner):
            return NotImplemented
        return compose(self, inner)

    @classmethod
    def value_class(cls) -> Callable[[type[V]], type[V]]:
        """A decorator for the class of live objects, which can derive from what configurations do not need.

        It derives from this class, and from the value classes of the bases; it declares no parameters.

        Example:
            >>> @Model.value_class()
            ... class TorchModel(Model, torch.nn.Module): ...
        """
        return edge(lambda value: registered(cls, value))

    def __repr__(self) -> str:
        return shown(self) if is_configuration(self) else super().__repr__()

    if not TYPE_CHECKING:  # checkers would take these for leave to assign any name, or for Generic's own

        @edge
        def __class_getitem__(cls, types: Any) -> Any:
            return with_types(cls, getattr(super(), "__class_getitem__", None), types)

        @ours
        def __setattr__(self, name: str, value: Any) -> None:
            if STATE not in self.__dict__:
                super().__setattr__(name, value)
                return
            try:
                assign(self, name, value)
            except XpmError as error:
                cut(error)
                raise

        @ours
        @edge
        def __delattr__(self, name: str) -> None:
            if STATE in self.__dict__:
                refuse_delete(self, name)
            super().__delattr__(name)

        def __reduce_ex__(self, protocol: Any) -> Any:
            if not is_configuration(self):
                return super().__reduce_ex__(protocol)
            return restored, (type(self), values_of(self), state(self))


def registered(cls: type[Config], value: type[V]) -> type[V]:
    """Let live objects of a class be of another class; returns that."""
    schema = cls.__xpm_schema__
    above = [base.__dict__["__xpm_schema__"] for base in cls.__mro__[1:] if "__xpm_schema__" in base.__dict__]
    for base in (cls, *(other.value_class for other in above)):
        if not issubclass(value, base):
            wrong = f"it does not derive from {base.__name__}, as a value class of {cls.__name__} has to"
            raise DeclarationError(value.__name__, wrong, f"Derive it from {cls.__name__} and {base.__name__}.")
    if added := [name for name in value.__xpm_schema__.parameters if name not in schema.parameters]:
        wrong = f"it declares the parameter {added[0]!r}, and is the value class of {cls.__name__}"
        raise DeclarationError(value.__name__, wrong, f"Declare it in {cls.__name__}.")
    schema.value_class = value
    return value


class DependentMarker(Protocol):
    """What `dep` is in `task_outputs` and in methods that make outputs: it marks what the task has made."""

    def __call__(self, config: T, /) -> T: ...


class InstanceConfig(Config):
    """A configuration that stands for itself: two equal ones are two things, as two models of one shape are.

    The identity of what uses them tells whether it uses one of them twice, or two. The first of several equal ones
    counts as a plain configuration would.
    """

    __xpm_base__: ClassVar[bool] = True
    __xpm_instances__: ClassVar[bool] = True


class Task(Config, AskedTask):
    """A configuration that can be submitted: `execute` runs in its job's directory, on a worker.

    Example:
        >>> class Learn(Task):
        ...     epochs: Param[int] = field(default=100)
        ...     def execute(self) -> None:
        ...         (Path("model.txt")).write_text(f"learned for {self.epochs} epochs")
        >>> learn = Learn.C(epochs=3).submit()
    """

    __xpm_base__: ClassVar[bool] = True
    __xpm_task__: ClassVar[bool] = True

    @abstractmethod
    def execute(self) -> Any:
        """Do the work. The working directory is the job's own; `self.__tags__` are its tags."""

    def task_outputs(self, dep: Callable[[T], T]) -> Any:
        """What `submit()` returns. Override it to return configurations that stand for results.

        Args:
            dep: Marks a configuration as made by this task, so that what uses it depends on the task.
        """
        return dep(self)  # type: ignore[arg-type]  # T is whatever it is given

    @edge
    def submit(self, *, init_tasks: Sequence[LightweightTask] = (), **options: Any) -> Self:
        """Submit the task to the current experiment; it and all that it refers to are sealed.

        Args:
            init_tasks: What to run in the job before `execute`, in order. They are part of the identity.
            options: What the experiment takes: see `experiment.submit`.

        Returns:
            What `task_outputs` returns; the task itself unless that is overridden.

        Raises:
            ExperimentError: No experiment is entered.
            DeclarationError: This is no configuration but a live object.
            MissingParameterError: Parameters have no value; names all of them.
            UnsubmittedTaskError: It depends on a task that was not submitted.
            OutputError: It is watched for outputs of what is no part of it.
        """
        own = configured(self, "submit")
        for watch in own.watches:
            watch.source()
        if init_tasks:
            take_initial(self, own, init_tasks)
        if not experiments:
            raise ExperimentError(
                type(self).__name__,
                f"submitted outside of any experiment, at {written(caller())}",
                "Submit it inside of: with experiment(workdir, name) as xp: ...",
            )
        return experiments[-1].submit(self, options)  # type: ignore[no-any-return]

    @edge
    def on_completed(self, callback: Callable[[Self], Any] | Callable[[], Any]) -> Self:
        """Call a function with the task, in this process, once it is done; at once if it is already.

        A function that takes no argument is called without one.

        Raises:
            ExperimentError: Calling it would run nothing, as of an `async def`.
        """
        refuse_callback(callback, f"{type(self).__name__}.on_completed", ExperimentError)
        own = configured(self, "on_completed")
        if own.submitted is None:
            own.callbacks += (callback,)
        else:
            own.submitted.on_completed(callback, self)
        return self

    @edge
    def watch_output(self, method: Callable[..., W], callback: Callable[[W], Any]) -> Self:
        """Call a function, in this process, with each output that the task produces while it runs, once a run.

        Also with those that it had produced before, if it is done, or runs already. What uses an output of a
        ResumableTask can start at once; what uses that of another task waits until the task is done.

        Args:
            method: A method of the task, or of one of its configurations, as given to `register_task_output`.
            callback: Takes what the method returns; called in the thread of callbacks, in the order of the outputs.

        Raises:
            OutputError: It is no method of a configuration of this task, or calling the callback would run nothing.

        Example:
            learn.watch_output(learn.checkpoint, lambda checkpoint: Evaluate.C(checkpoint=checkpoint).submit())
            learn.submit()
        """
        own, watch = configured(self, "watch_output"), outputs.watch(self, method, callback)
        refuse_callback(callback, f"{type(self).__name__}.watch_output", OutputError)
        if own.submitted is None:
            own.watches += (watch,)
        else:
            own.submitted.watch(watch)
        return self

    @edge
    def add_dependencies(self, *dependencies: Any) -> Self:
        """Let the task wait for other tasks, or hold units of tokens while it runs.

        Args:
            dependencies: Tasks, and what `token.dependency(units)` returns. Units of one token add up.
        """
        own = configured(self, "add_dependencies")
        if own.submitted is not None:
            raise SealedError(
                type(self).__name__,
                f"cannot add dependencies, the task was submitted at {own.submitted.where}",
                "Add them before submit().",
                written(caller()),
            )
        for dependency in dependencies:
            if isinstance(dependency, Task):
                own.after += (dependency,)
            else:
                units = own.demand.get(dependency.name, 0) + dependency.units
                own.demand = {**own.demand, dependency.name: units}
        return self

    @edge
    def token_units(self, name: str) -> tuple[int, ...] | int:
        """In a job: the numbers of the units of a token that it holds; how many, if its units are not numbered.

        Raises:
            TokenHoldingError: The job holds none.
        """
        return job.token_units(f"{type(self).__name__}.token_units", name)

    def remaining_time(self) -> float | None:
        """In a job: seconds until it is told to end, for its worker's time or its own is over; None without any limit.

        A job that has too little time left saves what it has, and raises `GracefulTimeout`.
        """
        return job.remaining_time()

    def dependency(self) -> Self:
        """The task as something to wait for: `other.add_dependencies(task.dependency())`."""
        return self

    @property
    @edge
    def jobpath(self) -> Path:
        """The directory of the job, once submitted; in a job, also of the tasks that it uses."""
        if not is_configuration(self):
            return Path(self.__dict__["__taskdir__"])
        return Path(job_of(self, "jobpath").jobpath)


class ResumableTask(Task):
    """A task that goes on where an earlier attempt stopped: a retry finds the directory as that left it."""

    __xpm_base__: ClassVar[bool] = True


class LightweightTask(Config):
    """What runs inside the job of another task, before its `execute`: `submit(init_tasks=[Load.C(model=model)])`."""

    __xpm_base__: ClassVar[bool] = True

    @abstractmethod
    def execute(self) -> Any:
        """Do the work, in the process and the directory of the task's job."""


def take_initial(task: Task, own: ConfigState, init_tasks: Sequence[Any]) -> None:
    """Let a task have its initial tasks, with what `stop_tags` said of them."""
    where = f"{type(task).__name__}.init_tasks"
    if own.sealed:
        raise SealedError(where, "the task is sealed", "Submit a copy of it with them.", own.created)
    found = []
    for number, each in enumerate(init_tasks):
        if isinstance(each, tags.Tagged):
            own.stopped |= {f"init_tasks[{number}]"}
            each = each.value
        if not isinstance(each, LightweightTask) or not is_configuration(each):
            wrong = f"expected LightweightTask, got {each!r} ({type(each).__name__})"
            raise ParameterTypeError(f"{where}[{number}]", wrong, "Pass configurations of them.", written(caller()))
        found.append(each)
    own.init_tasks = tuple(found)


def configured(task: Task, what: str) -> ConfigState:
    """The state of a configuration of a task; an error for a live object."""
    if not is_configuration(task):
        name = type(task).__name__
        raise DeclarationError(f"{name}.{what}", "this is a live object", f"Call it on a configuration: {name}.C(...).")
    return state(task)
