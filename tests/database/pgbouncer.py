"""A real PgBouncer in transaction mode, in front of a PostgreSQL."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from sqlalchemy import URL

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")

_CONFIG = """
[databases]
* = {server}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 500
query_wait_timeout = 60
"""


@contextmanager
def pgbouncer(
    server: URL, *, users: Sequence[str] = (), size: int = 5, mode: str = "transaction"
) -> Iterator[URL]:
    """The URL of `server` through a pooler that has `size` connections for each user."""
    assert PROGRAM is not None
    with TemporaryDirectory() as name:
        folder, port = Path(name), _free_port()
        names = folder / "users.txt"
        names.write_text("".join(f'"{user}" ""\n' for user in {server.username, *users}))
        config = folder / "pgbouncer.ini"
        options = {"port": port, "users": names, "mode": mode, "size": size}
        config.write_text(_CONFIG.format(server=_told(server), **options))
        _open_to_others(folder)
        as_user = ["-u", "nobody"] if os.geteuid() == 0 else []
        process = subprocess.Popen(
            [PROGRAM, "-q", *as_user, config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for(port, process)
            yield server.set(host="127.0.0.1", port=port, query={})
        finally:
            process.terminate()
            process.wait(timeout=10)


def _told(server: URL) -> str:
    host = server.query.get("host") or server.host or "127.0.0.1"
    return f"host={host} port={server.port or 5432}"


def _open_to_others(folder: Path) -> None:
    folder.chmod(0o755)
    for file in folder.iterdir():
        file.chmod(0o644)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = monotonic() + 10
    while monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        sleep(0.02)
    msg = "PgBouncer did not start"
    raise RuntimeError(msg)
