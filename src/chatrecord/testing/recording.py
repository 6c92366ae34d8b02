"""A model whose requests and raw answers are kept in a file, and replayed from it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model, infer_model
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.providers import Provider, infer_provider, infer_provider_class

from chatrecord.errors import ConfigurationError

from .recording_file import RecordingFile
from .recording_transport import RecordingTransport

RecordingMode = Literal["once", "none", "all"]
_LIBRARIES = ("httpx2", "httpx")
_DEEPEST = 5
"""Attributes from a model to its HTTP client: Google's is the farthest."""


@asynccontextmanager
async def recorded(
    llm: str | Model,
    file: str | PathLike[str],
    *,
    mode: RecordingMode = "once",
    ignore: Collection[str] = (),
) -> AsyncIterator[Model]:
    """Record the requests of a model and their raw answers in a file, and replay them afterwards.

        async with recorded("openai:gpt-5.2", "tests/recorded/policy.json") as llm:
            chat = await create_chat(db, llm)
            reply = await chat.ask("What is our travel policy?")

    `mode="once"` records if the file does not exist, and replays it otherwise, without a network
    and without a key. `"none"` only replays, `"all"` always records. The file is written when the
    block ends without an error. `ignore` names fields of request bodies that may differ.

    A replayed request must have the method, the address and the body of a recorded one. Headers
    are not kept, keys in addresses and bodies are redacted. Raises `NotRecorded` at the end of the
    block if a request was not in the file, and `ConfigurationError` if the file is missing with
    `mode="none"` or if the model does not use httpx.
    """
    kept, replays = _file(file, mode, ignore)
    model = _opened(llm, replays=replays)
    transport = RecordingTransport(kept, replays=replays)
    async with AsyncExitStack() as stack:
        for each in _asking(model):
            await stack.enter_async_context(each)  # its HTTP client stays the same from here on
            for client in _http_clients(each):
                stack.enter_context(_through(transport, client))
        with _telling_what_is_missing(transport):
            yield model
    if not replays:
        kept.write()


def _file(
    file: str | PathLike[str], mode: object, ignore: Collection[str]
) -> tuple[RecordingFile, bool]:
    """The file, and whether it is replayed."""
    if mode not in get_args(RecordingMode):
        msg = f'mode= takes "once", "none" or "all", not {mode!r}'
        raise ValueError(msg)
    if isinstance(ignore, str):
        msg = f"ignore= takes a list of names: ignore=[{ignore!r}]"
        raise TypeError(msg)
    kept = RecordingFile(Path(file), ignored=frozenset(ignore))
    exists = kept.path.exists()
    if mode == "none" and not exists:
        msg = f'There is no {kept.path}. Use mode="once" to record it'
        raise ConfigurationError(msg)
    if exists and mode != "all":
        kept.read()
        return kept, True
    return kept, False


@contextmanager
def _telling_what_is_missing(transport: RecordingTransport) -> Iterator[None]:
    """Whatever the application has made of the refusal of a request."""
    try:
        yield
    except Exception as error:
        if transport.missing is not None:
            raise transport.missing from error
        raise
    if transport.missing is not None:
        raise transport.missing


def _opened(llm: str | Model, *, replays: bool) -> Model:
    """The model; where it only replays, it needs no key."""

    def provider(name: str) -> Provider[Any]:
        try:
            return infer_provider(name)
        except UserError:
            if not replays:
                raise
        kind: Any = infer_provider_class(name)
        made: Provider[Any] = kind(api_key="not-a-key")
        return made

    if not isinstance(llm, str | Model):
        msg = f"recorded() takes a model string or a Pydantic AI model, not {type(llm).__name__}"
        raise TypeError(msg)
    return infer_model(llm, provider_factory=provider)


def _asking(model: Model) -> Iterator[Model]:
    """The models that ask a provider."""
    if isinstance(model, WrapperModel):
        yield from _asking(model.wrapped)
    elif isinstance(model, FallbackModel):
        for each in model.models:
            yield from _asking(each)
    else:
        yield model


def _http_clients(model: Model) -> list[Any]:
    """The HTTP clients of a model, which each SDK keeps elsewhere."""
    found: dict[int, Any] = {}
    seen, level = set[int](), [model]
    for _ in range(_DEEPEST):
        inner = [each for it in level for each in getattr(it, "__dict__", {}).values()]
        found |= {id(each): each for each in inner if _is_http_client(each)}
        level = [each for each in inner if id(each) not in seen and not _is_http_client(each)]
        seen |= {id(each) for each in level}
    if not found:
        msg = f"{type(model).__name__} does not send its requests by httpx: it cannot be recorded"
        raise ConfigurationError(msg)
    return list(found.values())


def _is_http_client(it: object) -> bool:
    kinds = type(it).__mro__
    return any(
        kind.__name__ == "AsyncClient" and kind.__module__.partition(".")[0] in _LIBRARIES
        for kind in kinds
    )


@contextmanager
def _through(transport: RecordingTransport, client: Any) -> Iterator[None]:
    """The requests of an HTTP client go through this transport, and then their way."""
    choose = client._transport_for_url

    class Chosen:
        async def handle_async_request(self, request: Any) -> Any:
            return await transport.handle(request, choose(request.url).handle_async_request)

    client._transport_for_url = lambda _url: Chosen()
    try:
        yield
    finally:
        del client._transport_for_url
