"""An answer whose deltas are merged on their way says what the provider's own events say."""

from __future__ import annotations

import json
import random

import pytest

from chatrecord.pydantic_ai.merged_deltas import MergedDeltas
from chatrecord.pydantic_ai.merged_events import Merging
from chatrecord.sqlalchemy import Database
from providers import clients
from rerouted import Rerouted

from .conversation import hold
from .facts import events
from .recordings import Exchange, Recording
from .test_rows import every_answer, expected, rows_of
from .wires import wire_of


@every_answer
@pytest.mark.parametrize("seed", range(3))
def test_a_stream_in_any_portions_is_the_same_answer_in_fewer_events(
    recording: Recording, seed: int
) -> None:
    for exchange in recording.exchanges:
        wire, stream = wire_of(exchange), stream_of(exchange)
        merged = merged_in_portions(stream, random.Random(seed))

        assert wire.whole_of(merged) == wire.whole_of(stream)
        assert len(events(merged)) <= len(events(stream))


@every_answer
def test_what_arrives_at_once_is_a_few_events(recording: Recording) -> None:
    """Those of a text that is cut into many pieces."""
    for exchange in recording.exchanges:
        stream = wire_of(exchange).stream_of(whole_of(exchange))
        merging = Merging()
        merged = (merging.merged(stream.encode()) + merging.rest()).decode()

        assert wire_of(exchange).whole_of(merged) == wire_of(exchange).whole_of(stream)
        if len(events(stream)) > 40:
            assert len(events(merged)) < len(events(stream)) / 2


@every_answer
async def test_the_rows_of_a_merged_answer_are_those_of_the_whole(
    db: Database, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the client of each provider."""
    monkeypatch.setattr(clients, "Rerouted", lambda to: MergedDeltas(Rerouted(to), hold=0.01))

    held = await hold(db, recording, streamed=True)

    for exchange, row in zip(recording.exchanges, await rows_of(held), strict=True):
        assert row == expected(exchange, streamed=True)


def stream_of(exchange: Exchange) -> str:
    return (
        exchange.body
        if exchange.is_streamed
        else wire_of(exchange).stream_of(json.loads(exchange.body))
    )


def whole_of(exchange: Exchange) -> dict[str, object]:
    if exchange.is_streamed:
        return wire_of(exchange).whole_of(exchange.body)
    whole: dict[str, object] = json.loads(exchange.body)
    return whole


def merged_in_portions(stream: str, chance: random.Random) -> str:
    """The stream as it is read from a network, which cuts it anywhere."""
    data, merging, out = stream.encode(), Merging(), b""
    while data:
        size = chance.randrange(1, 2_000)
        out += merging.merged(data[:size])
        data = data[size:]
    return (out + merging.rest()).decode()
