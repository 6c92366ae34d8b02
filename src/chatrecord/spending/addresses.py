"""Who is asked at an address: what a price depends on, more than on the name of a client."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from genai_prices.types import Provider

_ALSO_CALLED = {
    "bedrock": "aws",
    "google-cloud": "google",
    "google-gla": "google",
    "google-vertex": "google",
    "xai": "x-ai",
}
"""Names of providers in Pydantic AI, and in the price table where it has another."""

_MORE_HOSTS = {"amazonaws.com": "aws", "mistral.ai": "mistral", "together.ai": "together"}
"""Domains of providers beyond the addresses that the price table has."""

_GATEWAY = "pydantic.dev"
"""Pydantic AI's own gateway is asked by the name of the provider behind it, at its list price."""


@lru_cache(maxsize=256)
def provider_at(name: str, address: str | None) -> str:
    """The provider that a client of this name reaches at this address.

    Many servers speak the protocol of OpenAI or another provider. At the address of a provider that
    the price table knows, it is that provider. At any other address, the name of a known provider
    says nothing: then it is the host, such as `localhost:8000`, which has no list price.
    """
    if not address:
        return name
    named = listed(name)
    if named is not None and _is_at(named, address):
        return name
    parts = urlsplit(address)
    found = _listed_at(parts)
    if found is not None:
        return name if named is not None and named.id == found else found
    is_gateway = _is_within(parts, _GATEWAY)
    return name if named is None or is_gateway else _host(parts)


def listed(name: str | None) -> Provider | None:
    """The provider of exactly this name in the price table.

    The table itself finds a provider whose name is a part of this one, such as that of a proxy.
    """
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - takes a third of a second

    id_ = _ALSO_CALLED.get(name or "", name)
    return next((each for each in get_snapshot().providers if each.id == id_), None)


def _listed_at(parts: SplitResult) -> str | None:
    """By its address or, for regional ones such as `eu.api.openai.com`, by the domain it is in."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - as above

    labels = (parts.hostname or "").split(".")
    for start in range(len(labels)):
        address = f"{parts.scheme}://{'.'.join(labels[start:])}{parts.path}"
        found = next((each for each in get_snapshot().providers if _is_at(each, address)), None)
        if found is not None:
            return found.id
    return next((id_ for host, id_ in _MORE_HOSTS.items() if _is_within(parts, host)), None)


def _is_at(provider: Provider, address: str) -> bool:
    """Whether it has this address, and not only a part of its host, as in `api.openai.com.cn`."""
    found = re.match(provider.api_pattern, address)
    if found is None:
        return False
    rest = address[found.end() :]
    return found.group().endswith((".", "/")) or not rest or rest[0] in "/:?"


def _is_within(parts: SplitResult, domain: str) -> bool:
    return f".{parts.hostname}".endswith(f".{domain}")


def _host(parts: SplitResult) -> str:
    """The host and its port, without a user and a password."""
    return parts.netloc.rpartition("@")[2] or "unknown"
