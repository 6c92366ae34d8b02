"""Prices of your own: of a model that you host, of a contract, or of a proxy."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from chatrecord.errors import ConfigurationError
from chatrecord.text.arguments import check_amount

from .addresses import listed

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

_LOG = logging.getLogger("chatrecord")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrices:
    """What a model costs, in US dollars per million tokens.

        prices={"qwen3": TokenPrices(input=Decimal("0.10"), output=Decimal("0.40"))}

    `cache_read`, `cache_write` and `input_audio` default to the price of `input`, `reasoning` and
    `output_audio` to that of `output`. Raises `ValueError` or `TypeError` for an invalid number.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None
    input_audio: Decimal | None = None
    output_audio: Decimal | None = None

    def __post_init__(self) -> None:
        for price in fields(self):
            value = getattr(self, price.name)
            if value is not None or price.name in ("input", "output"):
                check_amount(f"TokenPrices({price.name}", value)


Rate: TypeAlias = "TokenPrices | ModelPrice | str"
"""Your prices, those of a `ModelPrice` of `genai-prices`, or the name of a provider: then its list
prices, such as `"openai"`."""

Prices: TypeAlias = "Mapping[str, Rate] | Callable[[str, str | None], Rate | None]"
"""Rates by `"provider:model"`, `"model"` or `"provider:*"`, or a function of model and provider.

The first of these keys that is there counts. `provider` and `model` are as in the rows.
"""


class OwnPrices:
    """The user's own prices."""

    def __init__(self, given: Prices | None = None) -> None:
        self._given = given
        if isinstance(given, Mapping):
            for key, rate in given.items():
                _check(key, rate)
        elif given is not None and not callable(given):
            msg = f"prices= takes a mapping or a function, not {type(given).__name__}"
            raise ConfigurationError(msg)

    def rate(self, model: str, provider: str | None) -> Rate | None:
        """The rate of this model at this provider, if there is one."""
        if self._given is None:
            return None
        if isinstance(self._given, Mapping):
            keys = (f"{provider}:{model}", model, f"{provider}:*")
            return next((self._given[key] for key in keys if key in self._given), None)
        return self._asked(self._given, model, provider)

    def _asked(
        self, function: Callable[[str, str | None], Rate | None], model: str, provider: str | None
    ) -> Rate | None:
        """What the function says. Its errors must not cost an answer that is there already."""
        try:
            rate = function(model, provider)
            if rate is not None:
                _check(f"{provider}:{model}", rate)
        except Exception:  # noqa: BLE001 - anybody's function
            _LOG.exception("The function prices= failed for %s:%s", provider, model)
            return None
        return rate


def model_price(rate: TokenPrices | ModelPrice) -> ModelPrice:
    """A rate as `genai-prices` calculates with it."""
    from genai_prices.types import ModelPrice  # noqa: PLC0415 - takes a third of a second to load

    if not isinstance(rate, TokenPrices):
        return rate
    prices: dict[str, Decimal | None] = {
        "input_mtok": rate.input,
        "output_mtok": rate.output,
        "cache_read_mtok": rate.cache_read,
        "cache_write_mtok": rate.cache_write,
        "output_reasoning_mtok": rate.reasoning,
        "input_audio_mtok": rate.input_audio,
        "output_audio_mtok": rate.output_audio,
    }
    if rate.input_audio is not None:  # tokens that are both need a price, too
        prices["cache_audio_read_mtok"] = rate.cache_read
        prices["cache_audio_write_mtok"] = rate.cache_write
    if rate.output_audio is not None:
        prices["output_audio_reasoning_mtok"] = rate.reasoning
    return ModelPrice(
        **{name: Decimal(str(price)) for name, price in prices.items() if price is not None}
    )


def _check(key: object, rate: object) -> None:
    from genai_prices.types import ModelPrice  # noqa: PLC0415 - as above

    if not isinstance(key, str):
        msg = f'prices= takes names such as "provider:model" as keys, not {key!r}'
        raise ConfigurationError(msg)
    if isinstance(rate, str):
        if listed(rate) is None:
            msg = f"prices={{{key!r}: {rate!r}}}: genai-prices knows no provider of that name"
            raise ConfigurationError(msg)
    elif not isinstance(rate, TokenPrices | ModelPrice):
        msg = (
            f"prices={{{key!r}: ...}} takes TokenPrices(input=..., output=...) or the name of a "
            f"provider, not {type(rate).__name__}"
        )
        raise ConfigurationError(msg)
