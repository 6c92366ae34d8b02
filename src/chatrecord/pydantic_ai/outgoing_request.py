"""A request that is about to be sent, for hooks to look at and to change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic_ai.messages import ModelMessage
from pydantic_ai.models import ModelRequestParameters

from chatrecord.hooks.moments import Text
from chatrecord.values import Target

from .texts import changed_request, texts_of


class OutgoingRequest:
    """Implements `chatrecord.hooks.run_hooks.Draft`. Nothing of it is the run's own history."""

    def __init__(
        self, target: Target, messages: Sequence[ModelMessage], parameters: ModelRequestParameters
    ) -> None:
        self.target = target
        self.messages: list[Any] = list(messages)
        self.parameters = parameters

    def texts(self) -> Sequence[Text]:
        return texts_of(self.messages, self.parameters)

    def put(self, texts: Sequence[Text]) -> None:
        new = iter(texts)
        changed = changed_request(self.messages, self.parameters, lambda _: next(new).text)
        self.messages[:], self.parameters = changed
