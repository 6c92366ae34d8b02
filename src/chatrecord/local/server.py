"""The local LLM's server, as a child process of this one."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import IO, Self

from chatrecord.errors import ConfigurationError

from .parts import check_parts, find_weights

MODEL_NAME = "smollm2-135m-instruct"
LOADING_TIME = 120.0
"""Seconds until loading counts as failed. It takes one or two on an ordinary machine."""

_SCRIPT = Path(__file__).with_name("serve.py")
_PATIENCE = 2.0
_LINES_TOLD = 4
_OWN_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""An option for Windows, so that Ctrl-C does not reach the server."""


class LocalServer:
    """An OpenAI-compatible server on a free port of 127.0.0.1.

        with LocalServer() as server:
            server.base_url       # http://127.0.0.1:41813/v1

    It has its own process group, so that Ctrl-C in a terminal does not reach it, and it ends
    when its standard input does: on `stop()`, and when this process dies in whatever way.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._complaints: IO[bytes] | None = None
        self._address = ""

    def launch(self) -> None:
        """Begin to load, without waiting. Raises `ConfigurationError` where a part is missing."""
        check_parts()
        command = [sys.executable, "-P", str(_SCRIPT), str(find_weights()), MODEL_NAME]
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - until it stops
        self._process = subprocess.Popen(  # noqa: S603 - our own words only
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            start_new_session=True,
            creationflags=_OWN_GROUP,
        )

    def wait_until_ready(self) -> None:
        """Wait until it answers. Raises `ConfigurationError` if it does not come up."""
        process = self._launched()
        alarm = Timer(LOADING_TIME, process.kill)
        alarm.start()
        try:
            self._address = self._read_address(process)
        finally:
            alarm.cancel()
        if not self._address:
            msg = f"The local LLM did not start: {self._complaint()}"
            self.stop()
            raise ConfigurationError(msg)

    def stop(self) -> None:
        """End the process; port and memory are free when this returns. Stopping twice is fine."""
        if self._process is None:
            return
        process, self._process = self._process, None
        _end(process)
        for pipe in (process.stdout, self._complaints):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        self.launch()
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """Where an OpenAI client finds it."""
        return f"{self._address}/v1"

    @property
    def pid(self) -> int:
        """The id of its process. Raises `RuntimeError` while it has none."""
        return self._launched().pid

    def _launched(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            msg = "The local LLM is not running: start it with `with LocalServer() as server`"
            raise RuntimeError(msg)
        return self._process

    def _read_address(self, process: subprocess.Popen[bytes]) -> str:
        assert process.stdout is not None
        lines = (line.decode(errors="replace").strip() for line in process.stdout)
        return next((line for line in lines if line.startswith("http://")), "")

    def _complaint(self) -> str:
        if self._complaints is None:
            return ""
        self._complaints.seek(0)
        said = self._complaints.read().decode(errors="replace").splitlines()
        return " / ".join(said[-_LINES_TOLD:]) or "it ended without a word"


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
