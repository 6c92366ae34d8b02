"""`chatrecord completion SHELL`: what Tab completes, and the lines that teach it to a shell."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path

from argcomplete import autocomplete
from argcomplete.completers import ChoicesCompleter, FilesCompleter
from argcomplete.shell_integration import shellcode

from chatrecord.errors import ChatRecordError

from .program import PROGRAM

_OFFERED = 100
_LONGEST_TITLE = 60


def run(arguments: Namespace) -> int:
    """Print the lines, which the shell runs: eval "$(chatrecord completion bash)"."""
    print(shellcode([Path(PROGRAM).name], shell=arguments.shell))
    return 0


def complete(commands: Iterable[ArgumentParser], parser: ArgumentParser) -> None:
    """Where a shell asks what could come next: answer it, and leave."""
    completers = {
        "chat": _chats,
        "attach": FilesCompleter(),
        "tools": FilesCompleter(["py"]),
        "db": FilesCompleter(),
        "model": _models,
    }
    for command in commands:
        for action in command._actions:
            if action.dest in completers:
                action.completer = completers[action.dest]  # type: ignore[attr-defined]
    autocomplete(parser, default_completer=ChoicesCompleter({}))


def _chats(parsed_args: Namespace, **_rest: object) -> dict[str, str]:
    """Ids with their titles, which zsh and fish show."""
    from .chats import latest  # noqa: PLC0415 - takes half a second to load

    try:
        found = asyncio.run(latest(parsed_args.db, parsed_args.user, _OFFERED))
    except ChatRecordError:
        return {}
    return {str(chat.id): _printable(chat.title or "") for chat in found}


def _printable(title: str) -> str:
    line = " ".join(title.split())[:_LONGEST_TITLE]
    return "".join(character for character in line if character.isprintable())


def _models(**_rest: object) -> list[str]:
    from .models import all_models  # noqa: PLC0415 - takes a second to load

    return [model.model for model in all_models() if model.missing is None]
