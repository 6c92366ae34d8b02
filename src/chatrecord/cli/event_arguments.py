"""The options of `chatrecord events` and `chatrecord webhooks`."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta

from chatrecord.events import EVENT_TYPES

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_reading(parser: ArgumentParser) -> None:
    """Which events are read."""
    parser.add_argument(
        "--after",
        metavar="ID",
        type=int,
        default=0,
        help="those after this one (all that are kept)",
    )
    _add_types(parser)
    parser.add_argument("--follow", action="store_true", help="go on with those that happen")


def add_delivering(parser: ArgumentParser) -> None:
    """Where they are sent, and how."""
    parser.add_argument("--to", metavar="URL", required=True, help="the receiver")
    parser.add_argument(
        "--secret-env",
        metavar="NAME",
        action="append",
        required=True,
        help="the environment variable that has the secret, whsec_...; may be repeated",
    )
    _add_types(parser)
    parser.add_argument("--name", help="what the progress is stored under (made from the address)")
    parser.add_argument(
        "--from-now", action="store_true", help="a new name begins with the next event"
    )
    parser.add_argument(
        "--give-up-after",
        metavar="TIME",
        type=_span,
        default="1d",
        help="when an event that is not taken is given up: 90m, 12h, 3d (1d)",
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=15.0,
        help="how long an attempt may take (15)",
    )
    parser.add_argument("--once", action="store_true", help="send what is due, and leave")


def _add_types(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--types",
        metavar="NAMES",
        type=_types,
        default=(),
        help=f"only these, with commas: {', '.join(EVENT_TYPES)}",
    )


def _types(text: str) -> list[str]:
    names = [name for name in (part.strip() for part in text.split(",")) if name]
    unknown = [name for name in names if name not in EVENT_TYPES]
    if unknown:
        msg = f"there is no event {unknown[0]}: {', '.join(EVENT_TYPES)}"
        raise ArgumentTypeError(msg)
    return names


def _span(text: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.isdecimal() or len(number) > 6:  # noqa: PLR2004
        msg = f"{text} is no time such as 90m, 12h or 3d"
        raise ArgumentTypeError(msg)
    return timedelta(**{_UNITS[unit]: int(number)})


def _seconds(text: str) -> float:
    if not text.isdecimal() or not 0 < int(text) <= 3600:  # noqa: PLR2004
        msg = f"{text} is no number of seconds from 1 to 3600"
        raise ArgumentTypeError(msg)
    return float(text)
