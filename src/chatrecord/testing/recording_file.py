"""Requests and their answers in a file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from chatrecord.errors import ConfigurationError
from chatrecord.records import Json

VERSION = 1
_LONGEST_SHOWN = 60
_MADE_ID = re.compile("pyd_ai_[0-9a-f]{32}")


class NotRecorded(AssertionError):
    """A request is not in the file that `recorded` replays. It tells the first difference."""


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request as it is kept: without headers and secrets."""

    method: str
    url: str
    body: Json

    def comparable(self, ignored: Collection[str]) -> SentRequest:
        """The same without these fields of its body, and with its random ids numbered."""
        body = self.body
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if name not in ignored}
        return SentRequest(self.method, self.url, _numbered(body))


@dataclass(slots=True)
class Exchange:
    """A request and its answer, chunk by chunk. `error` is how the connection broke, if it did."""

    request: SentRequest
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    chunks: list[Any] = field(default_factory=list)
    error: dict[str, str] | None = None
    replayed: bool = False


class RecordingFile:
    """The exchanges of a file, in their order. Each is replayed once."""

    def __init__(self, path: Path, *, ignored: Collection[str]) -> None:
        self.path = path
        self.exchanges: list[Exchange] = []
        self._ignored = ignored

    def read(self) -> None:
        """Read all exchanges. Raises `ConfigurationError` if the file is something else."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            version = content["chatrecord_recording"]
            self.exchanges = [_exchange_of(each) for each in content["exchanges"]]
        except (ValueError, KeyError, TypeError) as error:
            raise self._not_readable from error
        if version != VERSION:
            raise self._not_readable

    @property
    def _not_readable(self) -> ConfigurationError:
        msg = f"{self.path} is no recording of this version: delete it, and record again"
        return ConfigurationError(msg)

    def write(self) -> None:
        """Write all exchanges, or leave the file as it is."""
        content = {
            "chatrecord_recording": VERSION,
            "exchanges": [_lines_of(each) for each in self.exchanges],
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        draft.write_text(json.dumps(content, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
        draft.replace(self.path)

    def answer_to(self, request: SentRequest) -> Exchange:
        """The next exchange of this request. Raises `NotRecorded`."""
        wanted = request.comparable(self._ignored)
        same = [each for each in self.exchanges if each.request.comparable(self._ignored) == wanted]
        for each in same:
            if not each.replayed:
                each.replayed = True
                return each
        raise NotRecorded(self._why_not(wanted, len(same)))

    def _why_not(self, wanted: SentRequest, times: int) -> str:
        where = f"{wanted.method} {wanted.url}"
        again = f'Delete {self.path}, or use mode="all" once, to record again.'
        if times:
            return f"{where} is {times} times in {self.path}, and was sent once more. {again}"
        left = [it for it in self.exchanges if not it.replayed]
        alike = [it.request for it in left if it.request.url == wanted.url]
        if not alike:
            return f"{where} is not in {self.path}. {again}"
        next_one = alike[0].comparable(self._ignored)
        found = next(differences(wanted.body, next_one.body, "body"), "its method differs")
        return (
            f"{where} is in {self.path} with another body. The next that is recorded differs: "
            f"{found}. {again}"
        )


def _numbered(body: Json) -> Json:
    """The body with ids that Pydantic AI makes for calls without one, as Gemini's, by number."""
    text, numbers = json.dumps(body), dict[str, str]()

    def number(found: re.Match[str]) -> str:
        return numbers.setdefault(found[0], f"pyd_ai_{len(numbers) + 1}")

    numbered = _MADE_ID.sub(number, text)
    return cast(Json, json.loads(numbered)) if numbers else body


def differences(now: Json, then: Json, place: str) -> Iterator[str]:
    """Where two values differ, and how."""
    if isinstance(now, dict) and isinstance(then, dict):
        for name in [*then, *(it for it in now if it not in then)]:
            if name not in now:
                yield f"{place}.{name} is missing, and was {_shown(then[name])}"
            elif name not in then:
                yield f"{place}.{name} is new: {_shown(now[name])}"
            else:
                yield from differences(now[name], then[name], f"{place}.{name}")
    elif isinstance(now, list) and isinstance(then, list):
        for number, (one, other) in enumerate(zip(now, then, strict=False)):
            yield from differences(one, other, f"{place}[{number}]")
        if len(now) != len(then):
            yield f"{place} has {len(now)} items, and had {len(then)}"
    elif now != then:
        yield f"{place} is {_shown(now)}, and was {_shown(then)}"


def _shown(value: Json) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _lines_of(exchange: Exchange) -> dict[str, Any]:
    sent, error = exchange.request, exchange.error
    answer: dict[str, Any] = {
        "status": exchange.status,
        "headers": exchange.headers,
        "chunks": exchange.chunks,
    }
    return {
        "request": {"method": sent.method, "url": sent.url, "body": sent.body},
        "answer": answer if error is None else {**answer, "error": error},
    }


def _exchange_of(content: dict[str, Any]) -> Exchange:
    sent, answer = content["request"], content["answer"]
    return Exchange(
        SentRequest(sent["method"], sent["url"], sent["body"]),
        answer["status"],
        answer["headers"],
        answer["chunks"],
        answer.get("error"),
    )
