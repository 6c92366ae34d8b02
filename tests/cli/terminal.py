"""A terminal with the command in it, as a person has one."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

CTRL_C, CTRL_D = b"\x03", b"\x04"
PATIENCE = 30.0
# Only a process whose controlling terminal this is gets the signals of its keys.
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, '-m', 'chatrecord', *sys.argv[1:]])"
)
_STEERING = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|[\x01\x02]")


class Terminal:
    """`with Terminal("chat", ...) as terminal:` runs `chatrecord chat` in it."""

    def __init__(self, *arguments: str, environment: Mapping[str, str], folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**environment, "TERM": "xterm-256color"},
            cwd=folder,
            start_new_session=True,
        )
        os.close(theirs)
        self.raw = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._seen = 0

    def type(self, line: str) -> None:
        self.press(f"{line}\r".encode())

    def press(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def until(self, text: str) -> str:
        """Wait until this is shown after what was waited for before; returns all between."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.shown.find(text, self._seen)) < 0:
            assert time.monotonic() < deadline, f"no {text!r} in:\n{self.shown[self._seen :]}"
            if not self._read():
                raise AssertionError(f"it ended without {text!r}:\n{self.shown}")
        begin, self._seen = self._seen, found + len(text)
        return self.shown[begin : self._seen]

    def prompt(self) -> str:
        """Wait until it is the user's turn."""
        before = self.until("you \u203a ")
        # readline shows its prompt a moment before it listens; a person takes longer than that.
        time.sleep(0.2)
        return before

    def wait(self) -> int:
        """The exit status, once it has ended."""
        while self._read():
            pass
        return self.process.wait(PATIENCE)

    @property
    def shown(self) -> str:
        """Everything that was written, without colours and cursor movements."""
        return _STEERING.sub("", self.raw)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], 1.0)
        if not ready:
            return self.process.poll() is None
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # how Linux says that nobody is at the other end any more
            return False
        self.raw += self._decoder.decode(data)
        return bool(data)

    def close(self) -> None:
        """Turn it off, whatever is running in it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
