"""The options of the commands that delete many chats."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import get_args

from chatrecord.store.chat_store import Audit
from chatrecord.text.typed_times import long_ago


def add_age(parser: ArgumentParser) -> None:
    """How old a chat has to be, by its last use or by its deletion."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--older-than",
        metavar="TIME",
        type=long_ago,
        help="not used for this long (90d, 12w, 36h) or since a date (UTC)",
    )
    which.add_argument(
        "--deleted-before",
        metavar="TIME",
        type=long_ago,
        help="deleted this long ago, and kept since then to be restored",
    )


def add_audit(parser: ArgumentParser) -> None:
    """What is kept of the chats, and whether to ask."""
    parser.add_argument(
        "--audit",
        choices=get_args(Audit),
        default="delete",
        help="what happens to the rows of their requests (delete)",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before deleting")
