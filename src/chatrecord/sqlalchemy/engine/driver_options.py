"""The options of a driver: in a URL all are text, and drivers want numbers, truths and nothings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import URL, Dialect, event
from sqlalchemy.ext.asyncio import AsyncEngine

from chatrecord.errors import ConfigurationError
from chatrecord.text.redaction import redact

Read = Callable[[str], Any]

_TRUTHS = {"true": True, "yes": True, "on": True, "1": True,
           "false": False, "no": False, "off": False, "0": False}  # fmt: skip


def _truth(text: str) -> bool:
    return _TRUTHS[text.lower()]


def _number_or_none(text: str) -> int | None:
    return None if text.lower() in ("none", "null", "") else int(text)


def _seconds_or_none(text: str) -> float | None:
    return None if text.lower() in ("none", "null", "") else float(text)


def _ssl_mode(text: str) -> bool | str:
    if text.lower() in _TRUTHS:
        return _truth(text)
    if text not in _SSL_MODES:
        raise ValueError
    return text


def _full_unicode(text: str) -> str:
    if text.lower() != "utf8mb4":
        raise ValueError
    return text


_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_WANTED: dict[Read, str] = {
    int: "a whole number",
    float: "a number",
    _truth: "true or false",
    _number_or_none: "a whole number or none",
    _seconds_or_none: "seconds or none",
    _ssl_mode: f"true, false, {', '.join(_SSL_MODES[:-1])} or {_SSL_MODES[-1]}",
    _full_unicode: "utf8mb4, as no other character set holds every text",
}

_MYSQL: dict[str, Read] = {
    "autocommit": _truth,
    "charset": _full_unicode,
    "binary_prefix": _truth,
    "client_flag": int,
    "compress": _truth,
    "connect_timeout": int,
    "echo": _truth,
    "local_infile": _truth,
    "max_allowed_packet": int,
    "read_timeout": int,
    "ssl_check_hostname": _truth,
    "stmt_cache_size": int,
    "use_unicode": _truth,
    "write_timeout": int,
}
_OPTIONS: dict[str, dict[str, Read]] = {
    "aiosqlite": {
        "cached_statements": int,
        "check_same_thread": _truth,
        "detect_types": int,
        "timeout": float,
        "uri": _truth,
    },
    "aiomysql": _MYSQL,
    "asyncmy": {**_MYSQL, "ssl": _truth},
    "asyncpg": {
        "command_timeout": _seconds_or_none,
        "direct_tls": _truth,
        "max_cacheable_statement_size": int,
        "max_cached_statement_lifetime": int,
        "prepared_statement_cache_size": int,
        "ssl": _ssl_mode,
        "statement_cache_size": int,
        "timeout": float,
    },
    "psycopg": {"prepare_threshold": _number_or_none},
}
"""Those that are not text, by driver."""

_LEFT = {"charset", "client_flag", "ssl_check_hostname", "uri"}
"""Those that SQLAlchemy has to see in the URL."""

_OF_SQLITE = {*_OPTIONS["aiosqlite"], "isolation_level"}
_LIBPQ_ALONE = {"channel_binding", "gssencmode", "keepalives", "load_balance_hosts", "options"}
"""What asyncpg would hand on to the server, which knows it as little."""

_TEXT_OF_ASYNCPG = {
    "dsn", "gsslib", "host", "krbsrvname", "passfile", "port", "service", "servicefile",
    "target_session_attrs",
}  # fmt: skip
_NAMES_OF_LIBPQ = {"connect_timeout": "timeout", "sslmode": "ssl"}
"""Names that PostgreSQL's own URLs have for options of asyncpg."""


def taken_out(url: URL) -> tuple[URL, dict[str, Any]]:
    """The URL without those options of its query that the driver takes otherwise, and those.

    Raises `ConfigurationError` for a value that is none of its option's.
    """
    driver, options = url.get_driver_name(), dict[str, object]()
    known = _OPTIONS.get(driver, {})
    _check_known(url, driver)
    given = _given_names(url, driver)
    if driver == "asyncpg":
        url = _renamed(url)
    for name, read in known.items():
        if name in url.query:
            value = _read(given.get(name, name), url.query[name], read)
            options |= {} if name in _LEFT else {name: value}
    url = url.difference_update_query(options)
    if driver == "asyncpg":
        url, others = _by_dsn(url)
        options |= others
    return url, options


def _check_known(url: URL, driver: str) -> None:
    """Raise for an option that would be ignored, or refused without a clear message."""
    alien = set[str]()
    if driver == "aiosqlite" and "uri" not in url.query:
        alien = set(url.query) - _OF_SQLITE
    elif driver == "asyncpg":
        alien = set(url.query) & _LIBPQ_ALONE
    if alien:
        fix = {
            "aiosqlite": "leave it out, or name the file as a URI: sqlite:///file:chats.db?uri=true",
            "asyncpg": "leave it out, or use a postgresql+psycopg: URL",
        }[driver]
        msg = f"{min(alien)} in the URL of the database is no option of {driver}: {fix}"
        raise ConfigurationError(msg)


def _given_names(url: URL, driver: str) -> dict[str, str]:
    if driver != "asyncpg":
        return {}
    return {new: old for old, new in _NAMES_OF_LIBPQ.items() if old in url.query}


def _read(name: str, value: str | tuple[str, ...], read: Read) -> Any:
    try:
        if isinstance(value, str):
            return read(value)
    except (ValueError, KeyError):
        pass
    msg = f"{name} in the URL of the database takes {_WANTED[read]}, once"
    raise ConfigurationError(msg)


def _renamed(url: URL) -> URL:
    names = {old: new for old, new in _NAMES_OF_LIBPQ.items() if old in url.query}
    renamed = {new: url.query[old] for old, new in names.items()}
    return url.difference_update_query(names).update_query_dict(renamed)


def _by_dsn(url: URL) -> tuple[URL, dict[str, str]]:
    """What asyncpg takes in its own URL alone: certificates, and settings of the server."""
    names = set(url.query) - _TEXT_OF_ASYNCPG
    if not names:
        return url, {}
    query = urlencode([(name, url.query[name]) for name in sorted(names)], doseq=True)
    return url.difference_update_query(names), {"dsn": f"postgresql://?{query}"}


def watch_options(engine: AsyncEngine) -> None:
    """Name a wrong option of an engine's `connect_args` in the error."""
    if not event.contains(engine.sync_engine, "do_connect", _check):
        event.listen(engine.sync_engine, "do_connect", _check)


def _check(dialect: Dialect, _record: object, _args: object, options: Mapping[str, object]) -> None:
    """The drivers compare text with a number, and say nothing of whose text it was."""
    for name, read in _OPTIONS.get(dialect.driver, {}).items():
        if isinstance(options.get(name), str) and read not in (_ssl_mode, _full_unicode):
            msg = f"{name} in connect_args= takes {_WANTED[read]}, not text"
            raise ConfigurationError(msg)


@contextmanager
def told_of_options() -> Iterator[None]:
    """What a driver says of its options, before there is a connection."""
    try:
        yield
    except (TypeError, ValueError) as error:
        # A text that cannot be encoded may be the password.
        said = "" if isinstance(error, UnicodeError) else f": {redact(str(error))}"
        kind = type(error).__name__
        msg = (
            f"The driver refused an option of the connection: {kind}{said}. Options are in the "
            "query of the URL, and in connect_args="
        )
        raise ConfigurationError(msg) from error
