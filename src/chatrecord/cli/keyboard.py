"""What the user types, with line editing where the platform has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from types import ModuleType

from .screen import Screen

_NAME = "you"


class Keyboard:
    """Lines from the terminal, until Ctrl-D or Ctrl-C."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._readline: ModuleType | None = None
        with suppress(ImportError):
            # Importing it is what gives `input` its line editing.
            self._readline = import_module("readline")

    def lines(self) -> Iterator[str]:
        """Each line that says something."""
        with suppress(EOFError, KeyboardInterrupt):
            while True:
                self._screen.note()
                line = self._read().strip()
                if line:
                    yield line
        # The prompt that was left stands without an end.
        print(file=self._screen.notes.file)

    def remember(self, line: str) -> None:
        """Make it what the arrow keys bring back."""
        if self._readline is not None:
            self._readline.add_history(" ".join(line.split()))

    def _read(self) -> str:
        if self._screen.is_terminal:
            return input(self._prompt())
        print(f"{_NAME} > ", end="", flush=True, file=self._screen.notes.file)
        return input()

    def _prompt(self) -> str:
        if self._screen.out.color_system is None:
            return f"{_NAME} > "
        # \x01 and \x02 tell readline what takes no room on the line.
        return f"\x01\x1b[1;36m\x02{_NAME} \u203a\x01\x1b[0m\x02 "
