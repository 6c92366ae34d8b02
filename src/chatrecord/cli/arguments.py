"""What can be typed after `chatrecord`."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeAlias, get_args

from chatrecord.feedback import Rating
from chatrecord.text.typed_times import day

from .argument_values import names, number, port
from .deletion_arguments import add_age, add_audit
from .event_arguments import add_delivering, add_reading
from .first_word import with_command
from .program import PROGRAM
from .scaffold.choices import TABLES, WEB

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    Commands: TypeAlias = _SubParsersAction[ArgumentParser]

DEFAULT_DB = "chats.db"

_DESCRIPTION = """\
Chats with an LLM, every message, tool call and request of them in your own database.

With OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_API_KEY, GEMINI_API_KEY or OPENROUTER_API_KEY
set, `chat` uses that provider; with none, a small LLM on this machine (see `setup-local`)."""

_EPILOG = f"""\
What is no command is a question, with the options of `chat`:
  {PROGRAM} "How high is the Zugspitze?"
  {PROGRAM} -s "Be brief." -a report.pdf "What does it say?"

The options of a command: {PROGRAM} COMMAND --help"""


def parse(argv: Sequence[str] | None) -> Namespace:
    """The arguments, with the command to run as `run`. Exits where they make no sense.

    Raises `ConfigurationError` for a word that may be a command with a slip.
    """
    parser, commands = _parser()
    if "_ARGCOMPLETE" in os.environ:
        import_module("chatrecord.cli.completion").complete(commands.choices.values(), parser)
    words = with_command(sys.argv[1:] if argv is None else argv, commands.choices)
    arguments, unknown = parser.parse_known_args(words)
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{_hint(words, unknown)}")
    if getattr(arguments, "instructions", None) and (arguments.chat or arguments.last):
        parser.error("--instructions belong to a new chat; this one keeps those it began with")
    return arguments


def _hint(words: Sequence[str], unknown: Sequence[str]) -> str:
    """A question may begin with the name of a command: show me a poem."""
    if any(word.startswith("-") for word in unknown):
        return ""
    return f'. To ask it as a question: {PROGRAM} "{" ".join(words)}"'


def _parser() -> tuple[ArgumentParser, Commands]:
    parser = ArgumentParser(
        PROGRAM,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=version("chatrecord"))
    parser.set_defaults(run=_help(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_chat(commands)
    _add_chats(commands)
    _add_search(commands)
    _add_show(commands)
    _add_usage(commands)
    _add_feedback(commands)
    _add_dashboard(commands)
    _add_events(commands)
    _add_webhooks(commands)
    _add_export(commands)
    _add_import(commands)
    _add_repair(commands)
    _add_check(commands)
    _add_migrate(commands)
    _add_doctor(commands)
    _add_restore(commands)
    _add_purge(commands)
    _add_erase(commands)
    _add_models(commands)
    _add_init(commands)
    _add_setup(commands)
    _add_completion(commands)
    return parser, commands


def _add_chat(commands: Commands) -> None:
    parser = commands.add_parser("chat", help="talk to an LLM, in a new chat or an earlier one")
    parser.set_defaults(run=_command("chat"))
    parser.add_argument("prompt", nargs="*", help="ask just this (or pipe it in), and leave")
    parser.add_argument(
        "-m",
        "--model",
        help="such as openai:gpt-6.1-terra, or `local` for the one on this machine: see `models`",
    )
    parser.add_argument(
        "-s",
        "--system",
        "--instructions",
        dest="instructions",
        metavar="TEXT",
        help="a system prompt for a new chat",
    )
    parser.add_argument(
        "-a",
        "--attach",
        metavar="FILE",
        action="append",
        default=[],
        help="send a file along, or an address, or - for what is piped in; may be repeated",
    )
    parser.add_argument(
        "--tools",
        metavar="FILE.py",
        action="append",
        default=[],
        help="let the LLM call the public functions of a Python file; may be repeated",
    )
    parser.add_argument("--approve", action="store_true", help="ask before each call of a tool")
    parser.add_argument(
        "--no-stream", action="store_true", help="show the answer once it is complete"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--chat", metavar="ID", help="continue this chat")
    which.add_argument("--last", action="store_true", help="continue the latest chat")
    _add_place(parser)


def _add_chats(commands: Commands) -> None:
    parser = commands.add_parser("chats", help="list the chats, newest activity first")
    parser.set_defaults(run=_command("chats"))
    parser.add_argument("--limit", type=number, default=20, help="how many (20)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--search", metavar="TEXT", help="only those whose title has these words")
    which.add_argument(
        "--deleted", action="store_true", help="those that were deleted and can be restored"
    )
    _add_json(parser)
    _add_place(parser)


def _add_search(commands: Commands) -> None:
    parser = commands.add_parser("search", help="find what was said: titles, questions, answers")
    parser.set_defaults(run=_command("search"))
    parser.add_argument("query", metavar="TEXT", help='words, "phrases", word*, -word')
    parser.add_argument("--limit", type=number, default=20, help="how many (20)")
    _add_json(parser)
    _add_place(parser)


def _add_show(commands: Commands) -> None:
    parser = commands.add_parser("show", help="show a chat: messages, tool calls, requests, totals")
    parser.set_defaults(run=_command("show"))
    parser.add_argument("chat", metavar="ID", help="its id, or the beginning of it")
    _add_json(parser)
    _add_place(parser)


def _add_usage(commands: Commands) -> None:
    parser = commands.add_parser("usage", help="add up tokens, cost, errors and times")
    parser.set_defaults(run=_command("usage"))
    _add_groups(parser, "hour, day, month, model, kind, provider, user_id")
    _add_period(parser)
    _add_json(parser)
    _add_place(parser)


def _add_feedback(commands: Commands) -> None:
    parser = commands.add_parser("feedback", help="add up what people think of the answers")
    parser.set_defaults(run=_command("feedback"))
    _add_groups(parser, "hour, day, month, model, owner, user_id")
    parser.add_argument(
        "--list",
        metavar="RATING",
        dest="rating",
        choices=("all", *get_args(Rating)),
        help="list each one with its comment instead: all, positive or negative",
    )
    parser.add_argument("--limit", type=number, default=20, help="how many of a list (20)")
    _add_period(parser)
    _add_json(parser)
    _add_place(parser)


def _add_dashboard(commands: Commands) -> None:
    parser = commands.add_parser("dashboard", help="show chats, costs and requests in the browser")
    parser.set_defaults(run=_command("dashboard"))
    parser.add_argument("--port", type=port, default=0, help="where it listens (a free port)")
    parser.add_argument(
        "--no-open", dest="open", action="store_false", help="print the address only"
    )
    _add_place(parser)


def _add_events(commands: Commands) -> None:
    parser = commands.add_parser("events", help="list what has happened to the chats")
    parser.set_defaults(run=_command("events"))
    add_reading(parser)
    parser.add_argument("--json", action="store_true", help="a line of JSON for each")
    _add_place(parser)


def _add_webhooks(commands: Commands) -> None:
    parser = commands.add_parser("webhooks", help="send what happens to an address, signed")
    parser.set_defaults(run=_command("webhooks"))
    add_delivering(parser)
    _add_database(parser)


def _add_export(commands: Commands) -> None:
    parser = commands.add_parser("export", help="print a chat as lines of JSON, all of it")
    parser.set_defaults(run=_command("export"))
    parser.add_argument("chat", metavar="ID", nargs="?", help="its id, or the beginning of it")
    parser.add_argument("--owner", metavar="USER", help="everything of this user, to a folder")
    parser.add_argument("--to", metavar="FOLDER", help="the folder, with a file for each chat")
    _add_place(parser)


def _add_import(commands: Commands) -> None:
    parser = commands.add_parser("import", help="read a chat that was exported: < chat.jsonl")
    parser.set_defaults(run=_command("import_"))
    parser.add_argument("--new-ids", action="store_true", help="import a copy with new ids")
    _add_place(parser)


def _add_repair(commands: Commands) -> None:
    parser = commands.add_parser("repair", help="end the runs of dead processes")
    parser.set_defaults(run=_command("repair"))
    _add_place(parser)


def _add_check(commands: Commands) -> None:
    parser = commands.add_parser("check", help="compare the tables with what this version needs")
    parser.set_defaults(run=_command("check"))
    _add_database(parser)


def _add_migrate(commands: Commands) -> None:
    parser = commands.add_parser("migrate", help="bring the tables to what this version needs")
    parser.set_defaults(run=_command("migrate"))
    parser.add_argument(
        "--sql", action="store_true", help="print the statements instead of executing them"
    )
    parser.add_argument(
        "--search",
        metavar="LANGUAGE",
        nargs="?",
        const="simple",
        help="create the index of `search`, too; of a language such as english (simple)",
    )
    _add_database(parser)


def _add_doctor(commands: Commands) -> None:
    parser = commands.add_parser("doctor", help="find rows that break an invariant")
    parser.set_defaults(run=_command("doctor"))
    parser.add_argument(
        "--repair",
        action="store_true",
        help="repair what can be repaired; without it nothing is written",
    )
    _add_database(parser)


def _add_restore(commands: Commands) -> None:
    parser = commands.add_parser("restore", help="bring a deleted chat back: see `chats --deleted`")
    parser.set_defaults(run=_command("restore"))
    parser.add_argument("chat", metavar="ID", help="its id, or the beginning of it")
    _add_place(parser)


def _add_purge(commands: Commands) -> None:
    parser = commands.add_parser("purge", help="delete the chats that were not used for some time")
    parser.set_defaults(run=_command("purge"))
    add_age(parser)
    add_audit(parser)
    _add_place(parser)


def _add_erase(commands: Commands) -> None:
    parser = commands.add_parser("erase", help="delete everything of a user for good")
    parser.set_defaults(run=_command("erase"))
    parser.add_argument("--owner", metavar="USER", required=True, help="whose chats")
    add_audit(parser)
    _add_database(parser)


def _add_models(commands: Commands) -> None:
    parser = commands.add_parser("models", help="list the models that can be used here")
    parser.set_defaults(run=_command("models"))
    parser.add_argument("search", metavar="TEXT", nargs="?", help="only those with this in a name")
    parser.add_argument(
        "--all", action="store_true", help="also those for which a key or a package is missing"
    )
    _add_json(parser)


def _add_init(commands: Commands) -> None:
    parser = commands.add_parser("init", help="write a project to begin with: page, tables, test")
    parser.set_defaults(run=_command("init"))
    parser.add_argument("folder", nargs="?", default=".", help="where (here)")
    parser.add_argument("--web", choices=WEB, help="the web framework; asked for if left out")
    parser.add_argument("--tables", choices=TABLES, help="ready-made, or classes of your own")


def _add_setup(commands: Commands) -> None:
    parser = commands.add_parser("setup-local", help="fetch the LLM that runs on this machine")
    parser.set_defaults(run=_command("setup"))


def _add_completion(commands: Commands) -> None:
    parser = commands.add_parser("completion", help="print the shell completion script")
    parser.set_defaults(run=_command("completion"))
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))


def _add_json(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON, for other programs")


def _add_groups(parser: ArgumentParser, such_as: str) -> None:
    parser.add_argument(
        "--by",
        metavar="NAMES",
        type=names,
        default="day,model",
        help=f"{such_as}, ... with commas (day,model)",
    )


def _add_period(parser: ArgumentParser) -> None:
    parser.add_argument("--since", metavar="DATE", type=day, help="from this day on (UTC)")
    parser.add_argument("--until", metavar="DATE", type=day, help="before this day (UTC)")


def _add_place(parser: ArgumentParser) -> None:
    _add_database(parser)
    parser.add_argument("--user", metavar="ID", help="only the chats of this user")


def _add_database(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--db",
        metavar="URL",
        default=os.environ.get("CHATRECORD_DB") or DEFAULT_DB,
        help=f"a database URL or an SQLite file ($CHATRECORD_DB, or else {DEFAULT_DB})",
    )


def _command(name: str) -> Callable[[Namespace], int]:
    """Imported only when it runs: help and version are to be quick."""

    def run(arguments: Namespace) -> int:
        status: int = import_module(f"chatrecord.cli.{name}").run(arguments)
        return status

    return run


def _help(parser: ArgumentParser) -> Callable[[Namespace], int]:
    def run(_arguments: Namespace) -> int:
        parser.print_help()
        return 0

    return run
