"""The base classes of a script's own classes: Config, Task, ResumableTask, LightweightTask.

They stay in this module: payloads of local classes name it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from xpm_core.config.attributes import ConfigAttributes, ReportingAttributes, TaskAttributes, experiments, job_of
from xpm_core.config.composition import compose
from xpm_core.config.dict_methods import DictMethods
from xpm_core.config.live_objects import instance
from xpm_core.config.task_setup import add_callback, add_dependencies, add_watch, set_init_tasks, setup_of
from xpm_core.errors import ExperimentError, XpmError
from xpm_core.job import running as job
from xpm_core.language.classes.assignment import assign, copied, refuse_delete, restored, values_of
from xpm_core.language.classes.metaclass import ConfigMeta, ours
from xpm_core.language.classes.subscripts import with_types
from xpm_core.language.classes.value_classes import set_value_class
from xpm_core.language.graph import tags
from xpm_core.language.graph.state import STATE, is_configuration, state_of
from xpm_core.language.identity.seal import foreseen, missing
from xpm_core.language.parameters.schema import config_repr
from xpm_core.tracebacks.callsite import caller, format_line
from xpm_core.tracebacks.edges import cut, edge

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")
V = TypeVar("V", bound="Config")
W = TypeVar("W")


class Config(ConfigAttributes, DictMethods, metaclass=ConfigMeta):
    """A class with typed parameters. `Model.C(layers=3)` makes a configuration, which describes an object.

    A job gets a live object of the same class, and `instance()` returns one. The parameters of a live object are plain
    attributes, its `__post_init__` has run, and it can be given any attribute.

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
        """Give the configuration a tag of any name, and return the configuration.

        Args:
            name: The name of the tag.
            value: As for `tag`: a text, a number, a bool, None, a path, or a member of an Enum.

        Raises:
            ParameterTypeError: The value cannot be a tag.

        Example:
            >>> Learn.C(model=model).tag("model", "mlp").submit()
        """
        tags.set_tag(self, name, value)
        return self

    def tags(self) -> dict[str, tags.Label]:
        """The tags of the configuration and of all that it was made from, by name.

        Example:
            >>> Learn.C(epochs=tag(100)).tags()
            {'epochs': 100}
        """
        return tags.collect(self)

    def missing(self) -> list[str]:
        """The paths of all parameters that have no value yet, here and below.

        Example:
            >>> Learn.C(model=Model.C()).missing()
            ['Learn.model.layers']
        """
        return missing(self)

    @edge
    def __identifier__(self) -> str:
        """The `identity`, also of a class that has a parameter of that name."""
        return foreseen(self)

    @edge
    def instance(self) -> Self:
        """Seal the configuration, and make a live object of it, outside of any job.

        Raises:
            MissingParameterError: A parameter has no value.
            ValidationError: A `__validate__` refuses the values.

        Example:
            >>> Model.C(layers=5).instance().layers
            5
        """
        return instance(self)

    @edge
    def copy(self, **values: Any) -> Self:
        """Copy the configuration, with other values for some parameters; see `copyconfig`.

        Example:
            >>> longer = learn.copy(epochs=1000)
        """
        return copied(self, values)  # type: ignore[no-any-return]

    @edge
    def register_task_output(self, method: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        """Register an output in a job, while the task still runs.

        The script calls `method(dep, *args, **kwargs)`, and passes its result to the functions that watch this method
        (`Task.watch_output`). The output is kept in the job's directory, so that later runs of the script get it, too.

        Args:
            method: A method of the task, or of one of its configurations. It is not called in the job.
            args: Numbers, texts and paths, and lists and dicts of them.
            kwargs: Likewise.

        Raises:
            NoJobError: No job runs in this process.
            OutputError: The method belongs to no configuration of the task, or the arguments cannot be sent.

        Example:
            def checkpoint(self, dep, *, step: int):
                return dep(Checkpoint.C(model=self.model, step=step))

            def execute(self):
                ...
                self.register_task_output(self.checkpoint, step=10)
        """
        from xpm_core.job import output_registration  # late, because few tasks have outputs

        output_registration.register(method, args, kwargs)

    @edge
    def __matmul__(self, inner: Config) -> Self:
        if not is_configuration(self) or not is_configuration(inner):
            return NotImplemented
        return compose(self, inner)

    @classmethod
    def value_class(cls) -> Callable[[type[V]], type[V]]:
        """A decorator for the class of the live objects. That class can derive from classes of large packages.

        The class derives from this class, and from the value classes of its bases. It declares no parameters.

        Raises:
            DeclarationError: It does not derive from them, or declares a parameter.

        Example:
            >>> @Model.value_class()
            ... class TorchModel(Model, torch.nn.Module): ...
        """
        return edge(lambda value: set_value_class(cls, value))

    def __repr__(self) -> str:
        return config_repr(self) if is_configuration(self) else super().__repr__()

    if not TYPE_CHECKING:  # else type checkers would allow any name to be assigned

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
            return restored, (type(self), values_of(self), state_of(self))


class InstanceConfig(Config):
    """A configuration that stands for itself: two equal ones are two things, like two models of one shape.

    A configuration that uses one of them twice has another identity than a configuration that uses two. The first of
    several equal ones counts like a plain configuration.

    Example:
        >>> class Model(InstanceConfig):
        ...     layers: Param[int] = 3
        >>> first, second = Model.C(), Model.C()
    """

    __xpm_base__: ClassVar[bool] = True
    __xpm_instances__: ClassVar[bool] = True


class Task(Config, TaskAttributes):
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
        """Do the work. The working directory is the job's directory. `self.__tags__` holds the tags of the task."""

    def task_outputs(self, dep: Callable[[T], T]) -> Any:
        """The result of `submit()`. Override it to return configurations that stand for results.

        Args:
            dep: Marks a configuration as made by this task, so that whatever uses it depends on the task.

        Example:
            def task_outputs(self, dep):
                return dep(TrainedModel.C(model=self.model))
        """
        return dep(self)  # type: ignore[arg-type]  # T is the type of its argument

    @edge
    def submit(self, *, init_tasks: Sequence[LightweightTask] = (), **options: Any) -> Self:
        """Submit the task to the current experiment. The task and all that it refers to are sealed.

        Args:
            init_tasks: Tasks that run in the job before `execute`, in order. They are part of the identity.
            options: How the job is run: `queue`, `priority`, `timeout` (seconds), `max_retries`, `max_losses`,
                `backoff` (seconds), `env` and `min_time` (seconds). docs/reference/submit.md explains each of them.

        Returns:
            The result of `task_outputs`, which is the task itself unless the class overrides that method.

        Raises:
            ExperimentError: No experiment is entered, there is no such option, or its value cannot work.
            UnguardedScriptError: A worker that imports the script would submit the task again.
            DeclarationError: This is a live object, and no configuration.
            MissingParameterError: Parameters have no value; names all of them.
            UnsubmittedTaskError: The task depends on a task that was not submitted.
            OutputError: A watched method belongs to no configuration of the task.

        Example:
            >>> with experiment("workspace", "mnist"):
            ...     learn = Learn.C(epochs=3).submit()
        """
        for watch in setup_of(self, "submit").watches:
            watch.source()
        if init_tasks:
            set_init_tasks(self, init_tasks, LightweightTask)
        if not experiments:
            raise ExperimentError(
                type(self).__name__,
                f"submitted outside of any experiment, at {format_line(caller())}",
                "Submit it inside of: with experiment(workdir, name) as xp: ...",
            )
        return experiments[-1].submit(self, options)  # type: ignore[no-any-return]

    @edge
    def on_completed(self, callback: Callable[[Self], Any] | Callable[[], Any]) -> Self:
        """Call a function in this process once the task is done; at once if it is done already.

        Args:
            callback: Takes the task, or no argument.

        Returns:
            The task.

        Raises:
            ExperimentError: A call of the function would run nothing of it, as with an `async def`.

        Example:
            >>> learn.on_completed(lambda learn: print(learn.jobpath))
        """
        add_callback(self, callback)
        return self

    @edge
    def watch_output(self, method: Callable[..., W], callback: Callable[[W], Any]) -> Self:
        """Call a function in this process with each output that the task produces while it runs.

        Each run of the script gets each output once, also the outputs from before the run. A task that uses an output
        of a ResumableTask can start at once. A task that uses an output of any other task waits until that is done.

        Args:
            method: A method of the task, or of one of its configurations, as given to `register_task_output`.
            callback: Takes the result of the method. It is called in the thread of callbacks, in the order of outputs.

        Returns:
            The task.

        Raises:
            OutputError: The method belongs to no configuration of this task, or a call of the callback would run
                nothing of it.

        Example:
            learn.watch_output(learn.checkpoint, lambda checkpoint: Evaluate.C(checkpoint=checkpoint).submit())
            learn.submit()
        """
        add_watch(self, method, callback)
        return self

    @edge
    def add_dependencies(self, *dependencies: Any) -> Self:
        """Let the task wait for other tasks, or hold units of tokens while it runs.

        Args:
            dependencies: Tasks, and results of `token.dependency(units)`. Units of one token add up.

        Returns:
            The task.

        Raises:
            SealedError: The task was submitted already.

        Example:
            >>> learn.add_dependencies(prepare, gpu.dependency(1)).submit()
        """
        add_dependencies(self, dependencies, Task)
        return self

    @edge
    def token_units(self, name: str) -> tuple[int, ...] | int:
        """The units of a token that the job holds: their numbers, or how many if they have no numbers.

        Args:
            name: The name of the token.

        Raises:
            NoJobError: No job runs in this process.
            TokenHoldingError: The job holds none.

        Example:
            >>> self.token_units("gpu")
            (0, 3)
        """
        return job.token_units(f"{type(self).__name__}.token_units", name)

    def remaining_time(self) -> float | None:
        """Seconds until the job is asked to end, because its time or that of its worker is over.

        A job that has too little time left saves its work, and raises `GracefulTimeout`.

        Returns:
            The seconds; None without any limit, and outside of a job.
        """
        return job.remaining_time()

    def dependency(self) -> Self:
        """The task itself, as a dependency of another one: `other.add_dependencies(task.dependency())`."""
        return self

    @property
    @edge
    def jobpath(self) -> Path:
        """The directory of the job, once the task is submitted. A job can also read it of the tasks that it uses.

        Raises:
            UnsubmittedTaskError: The task was not submitted.
        """
        if not is_configuration(self):
            return Path(self.__dict__["__taskdir__"])
        return Path(job_of(self, "jobpath").jobpath)


class ResumableTask(Task):
    """A task that continues where an earlier attempt stopped: a retry finds the directory as the attempt left it.

    Example:
        >>> class Learn(ResumableTask):
        ...     checkpoint: Meta[Path] = field(default_factory=PathGenerator("checkpoint.pt"))
        ...     def execute(self) -> None:
        ...         if self.checkpoint.exists(): ...
    """

    __xpm_base__: ClassVar[bool] = True


class LightweightTask(Config, ReportingAttributes):
    """A task that runs in the job of another one, before its `execute`. What it reports is that job's.

    Example:
        >>> class Load(LightweightTask):
        ...     model: Param[Model]
        ...     def execute(self) -> None:
        ...         self.model.load_weights()
        >>> Evaluate.C(model=model).submit(init_tasks=[Load.C(model=model)])
    """

    __xpm_base__: ClassVar[bool] = True

    @abstractmethod
    def execute(self) -> Any:
        """Do the work, in the process and the directory of the task's job."""
