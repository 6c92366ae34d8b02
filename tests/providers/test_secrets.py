"""Nothing secret is stored, even where a provider repeats it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chatrecord.errors import ProviderError
from chatrecord.sqlalchemy import Database, create_chat

from .answers import says, unauthorised
from .conftest import PROVIDERS, ConnectModel, Provider
from .rows import only_request
from .server import ProviderServer

ODD_KEY = "correct-horse-battery-staple"
"""A key without a shape to know it by, as gateways hand them out."""


def is_written(words: str, folder: Path) -> bool:
    """Whether the database holds these words, in any of its files and wherever in them."""
    return any(words.encode() in file.read_bytes() for file in folder.iterdir())


async def refused(db: Database, connect: ConnectModel, provider: Provider) -> ProviderError:
    chat = await create_chat(db, connect(provider), retries=0)
    with pytest.raises(ProviderError) as caught:
        await chat.ask("Hi")
    assert (await only_request(chat)).error
    return caught.value


@pytest.mark.parametrize(
    "provider",
    [*PROVIDERS, *(replace(provider, key=ODD_KEY) for provider in PROVIDERS)],
    ids=lambda provider: f"{provider.name}-{'odd' if provider.key == ODD_KEY else 'usual'}",
)
async def test_a_key_repeated_in_an_error_is_not_stored_or_shown(
    db: Database, connect: ConnectModel, server: ProviderServer, provider: Provider, tmp_path: Path
) -> None:
    server.script(unauthorised(provider.key))
    error = await refused(db, connect, provider)
    assert is_written("key", tmp_path)
    assert not is_written(provider.key, tmp_path)
    assert provider.key not in f"{error} {error!r} {error.args}"


async def test_a_successful_run_stores_no_key(
    db: Database, connect: ConnectModel, server: ProviderServer, provider: Provider, tmp_path: Path
) -> None:
    server.script(says("Hello"))
    chat = await create_chat(db, connect(provider))
    await chat.ask("Hi")
    assert not is_written(provider.key, tmp_path)
    sent = server.received[0].headers
    assert any(provider.key in header for header in sent.values())
