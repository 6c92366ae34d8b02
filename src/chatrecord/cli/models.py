"""`chatrecord models`: which models can be used here, with which keys, and what is missing."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from importlib.util import find_spec

from rich.table import Table

from chatrecord.local import missing_parts
from chatrecord.spending.pricing import Price, price

from . import figures
from .json_output import print_json
from .llm import LOCAL, PROVIDERS, model_of_environment
from .plain_text import plain
from .program import PROGRAM
from .screen import DIM, Screen, as_it_is

_MILLION = 1_000_000
_CLIENTS = {"google": "google.genai", "openrouter": "openai"}
"""The module that talks to a provider, where it has another name."""
_EXTRAS = {"openrouter": "openai"}
_COLUMNS = ("model", "key", "in", "out")


@dataclass(frozen=True, slots=True)
class Model:
    """A model by the name that `--model` takes. Prices are US dollars per million tokens.

    `missing` says what to do before it can be used; `None` is nothing.
    """

    model: str
    key: str | None
    missing: str | None
    default: bool
    input_price: Decimal | None
    output_price: Decimal | None


def run(arguments: Namespace) -> int:
    """List them: a table on a terminal, tab-separated lines in a pipe, or JSON."""
    found = [model for model in all_models() if (arguments.search or "").lower() in model.model]
    usable = [model for model in found if model.missing is None]
    shown = found if arguments.all else usable
    screen = Screen()
    if arguments.json:
        print_json(shown)
    elif not found:
        screen.note(f"No model here has {arguments.search!r} in its name")
    elif screen.is_terminal:
        screen.out.print(_table(shown))
        _explain(found, screen)
    else:
        for model in shown:
            print(*map(plain, _cells(model)), sep="\t")
    return 0


def all_models() -> list[Model]:
    """Those of the providers whose keys the command looks for, and the one on this machine."""
    from pydantic_ai.models import known_model_names  # noqa: PLC0415 - takes a second to load

    known, default, models = known_model_names(), model_of_environment(), list[Model]()
    for provider, usual in {model.partition(":")[0]: model for model in PROVIDERS.values()}.items():
        keys = [key for key, model in PROVIDERS.items() if model == usual]
        names = {usual, *(name for name in known if name.startswith(f"{provider}:"))}
        missing = _missing(provider, keys)
        model_of = partial(_model, key=_key(keys), missing=missing, default=default)
        models += [model_of(name) for name in sorted(names)]
    parts = " and ".join(part.name for part in missing_parts())
    fix = f"{PROGRAM} setup-local (its {parts})" if parts else None
    return [*models, Model(LOCAL, None, fix, default == LOCAL, Decimal(0), Decimal(0))]


def _key(keys: Sequence[str]) -> str:
    """The one that is set, or else the first."""
    return next((key for key in keys if os.environ.get(key)), keys[0])


def _missing(provider: str, keys: Sequence[str]) -> str | None:
    client = _CLIENTS.get(provider, provider)
    try:
        is_installed = find_spec(client) is not None
    except ModuleNotFoundError:
        is_installed = False
    steps = [] if is_installed else [f'pip install "chatrecord[{_EXTRAS.get(provider, provider)}]"']
    if not any(os.environ.get(key) for key in keys):
        steps.append(f"set {' or '.join(keys)}")
    return ", ".join(steps) or None


def _model(name: str, *, key: str, missing: str | None, default: str) -> Model:
    return Model(name, key, missing, name == default, *map(_dollars, _prices(name)))


def _prices(name: str) -> Iterator[Price | None]:
    """Of tokens that go in and of tokens that come out, at the rate of a short request."""
    from genai_prices import Usage  # noqa: PLC0415 - its table takes a third of a second to load

    provider, _, model = name.partition(":")
    for usage in (Usage(input_tokens=1000), Usage(output_tokens=1000)):
        yield price(usage, model=model, provider=provider, at=datetime.now(UTC))


def _dollars(found: Price | None) -> Decimal | None:
    return None if found is None else (found.amount * (_MILLION // 1000)).normalize()


def _table(models: Sequence[Model]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in _COLUMNS:
        table.add_column(name, no_wrap=True, justify="right" if name in ("in", "out") else "left")
    for model in models:
        style = DIM if model.missing else "bold cyan" if model.default else "cyan"
        name, *rest, _missing = map(as_it_is, _cells(model))
        table.add_row(f"[{style}]{name}", *rest)
    return table


def _cells(model: Model) -> tuple[str, ...]:
    prices = (_spelled(model.input_price), _spelled(model.output_price))
    return model.model, model.key or figures.UNKNOWN, *prices, model.missing or ""


def _spelled(price: Decimal | None) -> str:
    """To the cent, or to as many places as it has."""
    if price is None:
        return figures.UNKNOWN
    exponent = price.normalize().as_tuple().exponent
    return f"${price:,.{max(2, -int(exponent))}f}"


def _explain(found: Sequence[Model], screen: Screen) -> None:
    screen.note()
    screen.note("Prices are US dollars per million tokens, in and out.")
    screen.note(f"Without --model it is {model_of_environment()}.")
    for fix in dict.fromkeys(model.missing for model in found if model.missing):
        names = [model.model for model in found if model.missing == fix]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        screen.note(f"For {names[0]}{more}: {fix}")
    screen.note("--model takes every other PROVIDER:NAME, too, with the key of that provider.")
