"""Every error that xpm raises, and how they are related.

    XpmError
      ShapedError                an error that has only a place, a problem and a remedy
        WorkspaceError             a workspace, or a file in it, cannot be used
          UnknownWorkspaceError      a word is neither the name of a workspace nor a folder
          WorkspacePathError         (also ValueError) a path or an identity is not of the form that xpm writes
        SnapshotError              the code of a project cannot be kept, or kept code cannot be had
          SnapshotFolderError        this machine cannot hold a copy of it
        PayloadError               (also ValueError) a payload cannot be read or written
        SettingsError              a settings file cannot be understood
        RedisUrlError              (also ValueError) the address of a server cannot be understood
        RedisUnavailableError      a server does not answer
        RedisUnfitError            a server could lose jobs
        RedisFullError             the memory of a server is full, so nothing can be added
        BeingRemovedError          a job is submitted just while its directory is removed
        CollectionError            the removal of files cannot begin, or cannot go on
        EmbeddedServerError        a workspace's own server cannot be started or reached
        SharedServerError          the server for several machines cannot be started or stopped
        PageError                  the page of a workspace cannot be served
        SignatureError             (also ValueError) a job is not signed with the key of its worker
        ExchangeError              an experiment cannot be exported, or a file with one or with runs is not taken in
        ScriptError                a script has no configuration of that name, or fails when it is imported
        ExperimentError            an experiment is used in a way, or at a place, that cannot work
          InsideJobError             a job begins an experiment
          DryRunError                the script of a dry run asks for what only a run has
          UnguardedScriptError       a worker that imports the script would run the experiment again
        TokenNameError             (also ValueError) a token's name has characters that are not allowed
        TokenClashError            (also ValueError) a token exists with another scope or numbering
        UnknownDependencyError     (also LookupError) a job needs a job that the server does not know
        DebugError                 a job cannot be run in the foreground
        ReproduceError             a job cannot be run again with the code that it ran with
        ResultsError               (also ValueError) a statistic is asked for with an argument that makes no sense
        MissingPackageError        (also ImportError) a table is to be shown by a package that is not installed
        NoJobError                 a function was called that works only in the process of a running job
        TokenHoldingError          (also LookupError) a job asks for units of a token that it does not hold
        ResultValueError           (also ValueError) a result of a job is no JSON value
        UnknownColumnError         (also KeyError) a table of results has no column of a name
        UnknownResultError         (also KeyError) a job has reported no result of that name
        OutputError                an output of a running task is watched or registered wrongly
      GracefulTimeout            a task stops by itself before its time is over, and continues later
      WorkersFailedError         the workers that a script started have ended by themselves
      FailedExperiment           not all jobs of a run are done; holds the report
      TokenRequestError          (also ValueError) a task asks for less than one unit of a token, or for too many
      WipedError                 the server has forgotten jobs while a script waited for them
      OriginClashError           (also ValueError) two files claim one class name
      UnknownAttemptError        (also LookupError) a job had no such attempt
      UnknownJobError            (also LookupError) there is no such job
      ForgottenJobError          (also LookupError) the server does not know a job of the index
      AmbiguousJobError          (also LookupError) a prefix fits several jobs
      UnknownExperimentError     (also LookupError) there is no such experiment
      UnknownRunError            (also LookupError) no run of an experiment has the name, or several have
      UnknownTokenError          (also LookupError) the server has no such token
      UnknownQueueError          (also LookupError) the workspace has no such queue
      UnknownWorkerError         (also LookupError) no worker, daemon or machine has this name
      AmbiguousWorkerError       (also LookupError) the beginning of a name fits different workers
      FilterError                (also ValueError) a filter, a list of columns or of keys to sort by is wrong
      InvalidNameError           (also ValueError) a name has characters that are not allowed
      ServerNotFoundError        there is no server program to embed
      ConfigurationError         a configuration is wrong: where, what, the line that did it, what to do
        ParameterTypeError       a value has a wrong type
        ParameterValueError      a value is out of its bounds, or none of the allowed ones
        UnknownParameterError    no parameter has that name
        MissingParameterError    a parameter has no value
        SealedError              a value is assigned that may no longer change
        DeclarationError         a class declares its parameters wrongly
        ValidationError          a configuration's own `__validate__` refuses its values
        CycleError               a configuration contains itself
        NestingError             values are nested too deep
        UnsubmittedTaskError     a task is used as a parameter and was not submitted
        ClassNameError           no other process could import a class
        YamlError                a YAML file cannot be read
        ExperimentFileError      the YAML file of an experiment cannot be used
      MismatchError              a value does not have a type; caught inside xpm
      TaskImportError            a class of a payload cannot be imported
        ModuleNotAllowedError      this worker does not allow a module of a payload
      ProtocolError              (also ValueError) a message between worker, starter and job cannot be read

The text of an error has one shape: `<where>: <what is wrong, with value and limit>. <What to do.>`
The fields of an error go to `super().__init__` in order, and `__str__` builds the text. Therefore every error can be
pickled and copied.

Owns: the public home of all errors. Code imports them from here, not from the modules of this room. Imports nothing.
"""

from __future__ import annotations

from xpm_core.errors.base import ShapedError, XpmError
from xpm_core.errors.configuration import (
    ClassNameError,
    ConfigurationError,
    CycleError,
    DeclarationError,
    ExperimentFileError,
    MismatchError,
    MissingParameterError,
    ModuleNotAllowedError,
    NestingError,
    OriginClashError,
    ParameterTypeError,
    ParameterValueError,
    PayloadError,
    SealedError,
    TaskImportError,
    UnknownParameterError,
    UnsubmittedTaskError,
    ValidationError,
    YamlError,
)
from xpm_core.errors.experiment import (
    AmbiguousJobError,
    DebugError,
    ExperimentError,
    FailedExperiment,
    FilterError,
    ForgottenJobError,
    GracefulTimeout,
    InvalidNameError,
    NoJobError,
    OutputError,
    ScriptError,
    TokenClashError,
    TokenHoldingError,
    TokenNameError,
    TokenRequestError,
    UnknownAttemptError,
    UnknownDependencyError,
    UnknownExperimentError,
    UnknownJobError,
    UnknownTokenError,
    WipedError,
    WorkersFailedError,
)
from xpm_core.errors.past import ReproduceError, UnknownRunError
from xpm_core.errors.results import (
    MissingPackageError,
    ResultsError,
    ResultValueError,
    UnknownColumnError,
    UnknownResultError,
)
from xpm_core.errors.script import DryRunError, InsideJobError, UnguardedScriptError
from xpm_core.errors.service import (
    BeingRemovedError,
    CollectionError,
    EmbeddedServerError,
    ExchangeError,
    PageError,
    ProtocolError,
    RedisFullError,
    RedisUnavailableError,
    RedisUnfitError,
    RedisUrlError,
    ServerNotFoundError,
    SettingsError,
    SharedServerError,
    SignatureError,
    SnapshotError,
    SnapshotFolderError,
    UnknownWorkspaceError,
    WorkspaceError,
    WorkspacePathError,
)
from xpm_core.errors.steering import AmbiguousWorkerError, UnknownQueueError, UnknownWorkerError

__all__ = [
    "AmbiguousJobError",
    "AmbiguousWorkerError",
    "BeingRemovedError",
    "ClassNameError",
    "CollectionError",
    "ConfigurationError",
    "CycleError",
    "DebugError",
    "DeclarationError",
    "DryRunError",
    "EmbeddedServerError",
    "ExchangeError",
    "ExperimentError",
    "ExperimentFileError",
    "FailedExperiment",
    "FilterError",
    "ForgottenJobError",
    "GracefulTimeout",
    "InsideJobError",
    "InvalidNameError",
    "MismatchError",
    "MissingPackageError",
    "MissingParameterError",
    "ModuleNotAllowedError",
    "NestingError",
    "NoJobError",
    "OriginClashError",
    "OutputError",
    "PageError",
    "ParameterTypeError",
    "ParameterValueError",
    "PayloadError",
    "ProtocolError",
    "RedisFullError",
    "RedisUnavailableError",
    "RedisUnfitError",
    "RedisUrlError",
    "ReproduceError",
    "ResultValueError",
    "ResultsError",
    "ScriptError",
    "SealedError",
    "ServerNotFoundError",
    "SettingsError",
    "ShapedError",
    "SharedServerError",
    "SignatureError",
    "SnapshotError",
    "SnapshotFolderError",
    "TaskImportError",
    "TokenClashError",
    "TokenHoldingError",
    "TokenNameError",
    "TokenRequestError",
    "UnguardedScriptError",
    "UnknownAttemptError",
    "UnknownColumnError",
    "UnknownDependencyError",
    "UnknownExperimentError",
    "UnknownJobError",
    "UnknownParameterError",
    "UnknownQueueError",
    "UnknownResultError",
    "UnknownRunError",
    "UnknownTokenError",
    "UnknownWorkerError",
    "UnknownWorkspaceError",
    "UnsubmittedTaskError",
    "ValidationError",
    "WipedError",
    "WorkersFailedError",
    "WorkspaceError",
    "WorkspacePathError",
    "XpmError",
    "YamlError",
]

for _name in __all__:
    # Messages, pickles and payloads name the module of an error. They shall name its public home.
    globals()[_name].__module__ = __name__
