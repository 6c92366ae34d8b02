"""Embedders and image generators whose requests are rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from pydantic_ai import Embedder
from pydantic_ai.embeddings import EmbeddingModel, infer_embedding_model
from pydantic_ai.embeddings.wrapper import WrapperEmbeddingModel
from pydantic_ai.usage import RequestUsage

from chatrecord.errors import RunInterrupted
from chatrecord.llm.port import Answer, Body, Failure
from chatrecord.records import Tokens
from chatrecord.runs.process import Backend
from chatrecord.runs.recorded_work import record_request
from chatrecord.spending.addresses import provider_at
from chatrecord.values import Target

from .errors import failure_of
from .provider import secrets_of

try:
    from pydantic_ai import images
    from pydantic_ai.images.wrapper import WrapperImageGenerationModel
except ImportError:  # an earlier version
    images = None  # type: ignore[assignment]
    WrapperImageGenerationModel = object  # type: ignore[assignment, misc]

Result = TypeVar("Result")

_CHARACTERS_OF_A_TOKEN = 4
_EMPTY = Body(role="assistant", text="", reasoning=None, content=None, format=None)


class _Requests:
    """Records the requests of a model."""

    def __init__(self, backend: Backend, kind: str, chat_id: UUID | None, model: Any) -> None:
        self._backend, self._kind, self._chat_id, self._model = backend, kind, chat_id, model

    async def record(self, length: int, send: Callable[[], Awaitable[Result]]) -> Result:
        model = self._model
        provider = provider_at(model.system, getattr(model, "base_url", None))
        return await record_request(
            self._backend,
            self._kind,
            Target(model.model_name, provider, streamed=False),
            chat_id=self._chat_id,
            tokens=length // _CHARACTERS_OF_A_TOKEN,
            send=send,
            answer_of=_answer_of,
            failure_of=self._failure_of,
        )

    def _failure_of(self, error: BaseException) -> Failure:
        if isinstance(error, Exception):
            return failure_of(error, secrets_of(self._model))
        return Failure(RunInterrupted("The request was cancelled"), type(error).__name__)


class RecordedEmbeddings(WrapperEmbeddingModel):
    """An embedding model whose requests are rows."""

    def __init__(self, wrapped: EmbeddingModel, requests: _Requests) -> None:
        super().__init__(wrapped)
        self._requests = requests

    async def embed(self, inputs: str | Sequence[str], **options: Any) -> Any:
        texts = [inputs] if isinstance(inputs, str) else inputs
        length = sum(len(text) for text in texts)
        return await self._requests.record(length, lambda: self.wrapped.embed(inputs, **options))


class _RecordedImages(WrapperImageGenerationModel):
    """An image generation model whose requests are rows."""

    def __init__(self, wrapped: Any, requests: _Requests) -> None:
        super().__init__(wrapped)
        self._requests = requests

    async def generate(self, prompt: str, **options: Any) -> Any:
        send = lambda: self.wrapped.generate(prompt, **options)  # noqa: E731
        return await self._requests.record(len(prompt), send)


def recorded(backend: Backend, work: Any, kind: str | None, chat_id: UUID | None) -> Any:
    """The same embedder, image generator or model of either, with its requests as rows."""
    if isinstance(work, str):
        return recorded(backend, Embedder(work), kind, chat_id)
    if isinstance(work, Embedder):
        model = recorded(backend, infer_embedding_model(work.model), kind, chat_id)
        return Embedder(model, settings=work._settings, instrument=work.instrument)
    if isinstance(work, EmbeddingModel):
        requests = _Requests(backend, kind or "embedding", chat_id, work)
        return RecordedEmbeddings(work, requests)
    if images is not None and isinstance(work, images.ImageGenerator):
        model = recorded(backend, images.infer_image_generation_model(work.model), kind, chat_id)
        return images.ImageGenerator(model, settings=work._settings, instrument=work.instrument)
    if images is not None and isinstance(work, images.ImageGenerationModel):
        return _RecordedImages(work, _Requests(backend, kind or "image", chat_id, work))
    msg = (
        "recorded() takes Pydantic AI's Embedder, EmbeddingModel, ImageGenerator or "
        f"ImageGenerationModel, or the name of an embedding model, not {type(work).__name__}"
    )
    raise TypeError(msg)


def _answer_of(result: Any) -> Answer:
    usage: RequestUsage = result.usage
    is_known = usage.has_values()
    details = result.provider_details or {}
    return Answer(
        body=_EMPTY,
        calls=(),
        model=result.model_name,
        provider=provider_at(result.provider_name, getattr(result, "provider_url", None)),
        finish_reason=None,
        provider_request_id=result.provider_response_id,
        http_status=None,
        tokens=_tokens_of(usage) if is_known else Tokens(),
        usage=usage if is_known else None,
        price_context={name: it for name, it in details.items() if isinstance(it, str)},
    )


def _tokens_of(usage: RequestUsage) -> Tokens:
    return Tokens(input=usage.input_tokens, output=usage.output_tokens)
