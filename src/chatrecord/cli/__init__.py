"""The command `chatrecord`: a chat in the terminal, and a look at what is stored."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from chatrecord.errors import ChatRecordError, ConfigurationError

from .arguments import parse

STOPPED = 128 + 2
"""The exit status of a command that Ctrl-C ended, as shells have it."""

_EXTRAS = {
    "rich": "cli",
    "markdown_it": "cli",
    "argcomplete": "cli",
    "alembic": "migrations",
    "starlette": "dashboard",
    "uvicorn": "dashboard",
}
"""What provides a package that is missing."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status: 0, or 1 after an error told in one line."""
    try:
        arguments = parse(argv)
        status: int = arguments.run(arguments)
    except ChatRecordError as error:
        return _failed(error)
    except ModuleNotFoundError as error:
        return _failed(_missing(error))
    except KeyboardInterrupt:
        return STOPPED
    except BrokenPipeError:
        # The reader of the output has left, as `head` does: nothing more may be written to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _failed(error: ChatRecordError) -> int:
    print(f"chatrecord: {error}", file=sys.stderr)
    return 1


def _missing(error: ModuleNotFoundError) -> ChatRecordError:
    name = (error.name or "").partition(".")[0]
    extra = _EXTRAS.get(name)
    if extra is None:
        raise error
    return ConfigurationError(f'This command needs {name}: pip install "chatrecord[{extra}]"')
