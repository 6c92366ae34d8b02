"""One line of log for each request and each run."""

from __future__ import annotations

import logging

from chatrecord.records import ApiRequest

from .hook import Hook
from .moments import Answered, RunEnd


class LogUsage(Hook):
    """Logs the usage and outcome of each request and each run, without message texts.

        chat = await create_chat(db, "openai:gpt-5.2", hooks=[LogUsage(logging.getLogger("llm"))])

    A line reads `request complete chat_id=... tokens...`. Its fields are also in the record's
    `chatrecord`, as a dictionary, for structured logging: ids as text, `cost` in US dollars as
    text, times in milliseconds, `None` for unknown values. Failures are warnings.
    """

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger("chatrecord.usage")

    def after_response(self, answered: Answered) -> None:
        self._log_request(answered.request)

    def on_run_end(self, end: RunEnd) -> None:
        for request in end.requests:
            if request.status == "interrupted":  # of such a one there was no response to tell of
                self._log_request(request)
        usage = end.usage
        self._log(
            "run",
            end.status,
            {
                "chat_id": str(end.chat_id),
                "run_id": str(end.run_id),
                "requests": usage.requests,
                "tool_calls": len(end.tool_calls),
                "input_tokens": usage.input_tokens,
                "output_tokens": usage.output_tokens,
                "cost": None if usage.cost is None else str(usage.cost),
                "cost_source": usage.cost_source,
                "unpriced_requests": usage.unpriced_requests,
                "latency_ms": None if end.reply is None else round(end.reply.latency_ms, 1),
                "error_type": None if end.error is None else type(end.error).__name__,
            },
        )

    def _log_request(self, request: ApiRequest) -> None:
        self._log(
            "request",
            request.status,
            {
                "chat_id": str(request.chat_id),
                "run_id": str(request.run_id),
                "request_id": str(request.id),
                "message_id": str(request.message_id),
                "provider": request.provider,
                "model": request.model,
                "input_tokens": request.tokens.input,
                "output_tokens": request.tokens.output,
                "cost": None if request.cost is None else str(request.cost),
                "cost_source": request.cost_source,
                "latency_ms": _rounded(request.latency_ms),
                "first_token_ms": _rounded(request.first_token_ms),
                "http_status": request.http_status,
                "error_type": request.error_type,
            },
        )

    def _log(self, what: str, status: str, fields: dict[str, object]) -> None:
        level = logging.INFO if status == "complete" else logging.WARNING
        if self._logger.isEnabledFor(level):
            event = {"event": what, "status": status, **fields}
            line = " ".join(f"{name}={value}" for name, value in fields.items())
            self._logger.log(level, "%s %s %s", what, status, line, extra={"chatrecord": event})


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)
