"""Opening a file of a job, and nothing else.

A job writes into its directory what it likes: links to files elsewhere, pipes that nobody writes to, names such as
`../../etc`. And it may exchange a folder for a link while we look. So a path is walked folder by folder, each opened
from the one before and never through a link. A link is read, and walked in the same way, as long as it stays inside.
What is open at the end is what is checked, and what is served.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import ExitStack
from typing import BinaryIO, NamedTuple

from xpm_core.errors import XpmError

MOST_LINKS = 40
"""How many links a path may lead through, as in Linux."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # a pipe without a writer opens, too


class FileNotServedError(XpmError):
    """Raised when a path is not served. Its text is a sentence for the page.

    Attributes:
        status: The status of HTTP: 404 if there is nothing, 403 if it is not for the page.
    """

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence, status)
        self.status = status

    def __str__(self) -> str:
        return str(self.args[0])


class JobFile(NamedTuple):
    """A file of a job that was opened. Close `file` at the end.

    Attributes:
        file: The open file, without a buffer.
        size: Its size when it was opened, bytes.
        modified_s: When it was last written, epoch seconds.
    """

    file: BinaryIO
    size: int
    modified_s: float


def open_job_file(directory: str | os.PathLike[str], path: str, *, without: str = "") -> JobFile:
    """Open a regular file in a job's directory, to read it.

    Args:
        directory: The job's directory. It may be reached through links, because jobs may lie on another disk.
        path: The file's path in it, such as `train.out` or `plots/loss.svg`.
        without: The name of a folder of which nothing is opened, in small letters; also not through a link.

    Raises:
        FileNotServedError: There is no such file; or it is no regular file; or it lies outside, or a link leads out.

    Example:
        >>> with open_job_file(directory, "train.out").file as file:
        ...     file.read(4096)
    """
    with ExitStack() as stack:
        try:
            return _Walk(os.fspath(directory), stack, without).open(path)
        except (OSError, ValueError) as error:  # ValueError: the path has a zero byte
            number = error.errno if isinstance(error, OSError) else errno.ENOENT
            if number in (errno.EACCES, errno.EPERM):
                raise FileNotServedError("The user of this page may not read this file.", 403) from error
            raise FileNotServedError("The job has no such file now.", 404) from error


class _Walk:
    """A walk from a job's directory to one of its files.

    Args:
        directory: The job's directory.
        stack: Closes the folders.
        without: The name of a folder that is not entered.
    """

    def __init__(self, directory: str, stack: ExitStack, without: str) -> None:
        self._stack, self._links, self._without = stack, 0, without
        self._roots = {os.path.abspath(directory), os.path.realpath(directory)}
        self._folders = [self._kept(os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))]

    def open(self, path: str) -> JobFile:
        """Open the file at a path."""
        if path.startswith("/"):
            raise _outside()
        left = path.split("/")[::-1]
        while left:
            name = left.pop()
            if name in ("", "."):
                continue
            if name.lower() == self._without:  # some file systems do not tell small letters from capital ones
                raise FileNotServedError("The records of a job are not served, because they may hold secrets.", 403)
            if name == "..":
                self._go_up()
            elif (target := self._link(name)) is not None:
                left += self._inside(target).split("/")[::-1]
            elif any(left):
                self._folders.append(self._kept(os.open(name, _FOLDER, dir_fd=self._folders[-1])))
            else:
                return _checked(os.open(name, _FILE, dir_fd=self._folders[-1]))
        raise _folder()

    def _go_up(self) -> None:
        if len(self._folders) == 1:
            raise _outside()
        self._folders.pop()

    def _link(self, name: str) -> str | None:
        """Where a name leads to; None if it is no link. If it becomes one later, opening it fails."""
        try:
            return os.readlink(name, dir_fd=self._folders[-1])
        except OSError as error:
            if error.errno == errno.EINVAL:
                return None
            raise

    def _inside(self, target: str) -> str:
        """The path that a link holds. An absolute one into the directory itself begins there anew."""
        self._links += 1
        if self._links > MOST_LINKS:
            raise FileNotServedError("This link leads in a circle.", 404)
        if not target.startswith("/"):
            return target
        for root in self._roots:
            if target.startswith(f"{root}/"):
                del self._folders[1:]
                return target[len(root) + 1 :]
        raise _outside()

    def _kept(self, descriptor: int) -> int:
        self._stack.callback(os.close, descriptor)
        return descriptor


def _checked(descriptor: int) -> JobFile:
    """The open file, if it is a regular one."""
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise _folder()
        if not stat.S_ISREG(found.st_mode):
            raise FileNotServedError("This is no regular file, so the page does not show it.", 403)
        return JobFile(open(descriptor, "rb", buffering=0, closefd=True), found.st_size, found.st_mtime)
    except BaseException:
        os.close(descriptor)
        raise


def _folder() -> FileNotServedError:
    return FileNotServedError("This is a folder, and no file.", 404)


def _outside() -> FileNotServedError:
    return FileNotServedError("This lies outside of the job's directory, so the page does not show it.", 403)
