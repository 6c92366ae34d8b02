"""The real application in a process of its own, to be killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHATBOT = HERE.parent.parent
PATIENCE = 400
"""Seconds for the first start, which reads the whole handbook."""


class App:
    """`python -m hr` on the database in a folder, with the scripted LLM unless another is named."""

    def __init__(self, data: Path, llm: str = "script:scripted_hr") -> None:
        self.data = data
        self._llm = llm
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        with (self.data / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hr"], cwd=CHATBOT, env=self._env(), stdout=log, stderr=log
            )
        until = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                msg = f"The application did not start:\n{self._log()[-3000:]}"
                raise RuntimeError(msg)
            time.sleep(0.1)

    def kill(self) -> None:
        """As a power cut would: no handler runs, nothing is written any more."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def stop_database(self) -> None:
        """A killed application leaves its PostgreSQL running."""
        pid_file = self.data / "postgres" / "postmaster.pid"
        if pid_file.exists():
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(30)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/api/me", timeout=2).close()
        except urllib.error.HTTPError as error:
            error.close()
            return error.code == 401
        except OSError:
            return False
        return True

    def _env(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
        return os.environ | {
            "HR_LLM": self._llm,
            "HR_DATA": str(self.data),
            "HR_PORT": str(self._port),
            "HR_POSTGRES_AS_ROOT": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": path,
        }

    def _log(self) -> str:
        return (self.data / "server.log").read_text(errors="replace")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
