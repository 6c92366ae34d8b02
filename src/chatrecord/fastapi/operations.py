"""What the OpenAPI document says of each route."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

from pydantic import BaseModel

from chatrecord.chats.titles import LONGEST_TITLE
from chatrecord.text.search_query import LONGEST_QUERY
from chatrecord.web.pages import LARGEST_PAGE

from .schemas import (
    AGUIRequest,
    Branches,
    Chat,
    ChatList,
    ChatPage,
    DeletedChats,
    ErrorResponse,
    GivenFeedback,
    KeptFeedback,
    NewChat,
    OpenCalls,
    PlainQuestion,
    SearchHits,
    Stopped,
    ToolCallApproval,
    ToolCallDenial,
    UpdatedChat,
    UseChatRequest,
    WantedBranch,
    WantedCopy,
)

Document: TypeAlias = dict[str, Any]

_STREAM: Document = {
    "description": "The answer, as it is given.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}
_CHAT_ID: Document = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The id of the chat.",
    "schema": {"type": "string"},
}
_FILE_HASH: Document = {
    "name": "hash",
    "in": "path",
    "required": True,
    "description": "The SHA-256 of the file, in hexadecimal.",
    "schema": {"type": "string"},
}
_PROTOCOL: Document = {
    "name": "x-chat-protocol",
    "in": "header",
    "description": "What the client speaks, if it is not what the routes are set to.",
    "schema": {"type": "string", "enum": ["ai-sdk", "ag-ui", "sse"]},
}


def _limit(default: int) -> Document:
    return {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": default},
    }


def _query(name: str, description: str, **schema: object) -> Document:
    return {"name": name, "in": "query", "description": description, "schema": schema}


@dataclass(frozen=True, slots=True)
class Operation:
    """A route in the document: its words, what it takes and what it returns."""

    summary: str
    description: str
    returns: type[BaseModel] | Document | None = None
    status: int = HTTPStatus.OK
    body: tuple[type[BaseModel], ...] = ()
    parameters: tuple[Document, ...] = (_CHAT_ID,)
    others: tuple[tuple[int, str], ...] = ()

    def responses(self) -> dict[int | str, Document]:
        """Its responses, by status."""
        found: dict[int | str, Document] = {"4XX": {"model": ErrorResponse}}
        found["5XX"] = {"model": ErrorResponse}
        if isinstance(self.returns, dict):
            found[int(self.status)] = self.returns
        elif self.returns is not None:
            found[int(self.status)] = {"model": self.returns}
        for status, description in self.others:
            found[status] = {"description": description}
        return found

    def request(self) -> Document:
        """Its parameters and its body. The body is read by the route, so that its limit holds."""
        found: Document = {"parameters": list(self.parameters)}
        if self.body:
            schemas = [model.model_json_schema() for model in self.body]
            schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
            content = {"application/json": {"schema": schema}}
            found["requestBody"] = {"required": True, "content": content}
        return found


OPERATIONS: dict[str, Operation] = {
    "list_chats": Operation(
        "List chats",
        "A page of the signed-in user's chats, newest activity first.",
        ChatList,
        parameters=(
            _limit(20),
            _query("before", "`next` of the page before.", type="string"),
            _query("search", "Words in the title.", type="string", maxLength=LONGEST_TITLE),
        ),
    ),
    "ask": Operation(
        "Ask",
        "Send a question, edit one, have an answer generated again, or decide tool calls. "
        "The answer is streamed. It is stored whether somebody reads it or not.",
        _STREAM,
        body=(UseChatRequest, AGUIRequest, PlainQuestion),
        parameters=(_PROTOCOL,),
    ),
    "create_chat": Operation(
        "Create a chat",
        "An empty chat of the signed-in user.",
        Chat,
        HTTPStatus.CREATED,
        (NewChat,),
        parameters=(),
    ),
    "search_messages": Operation(
        "Search",
        "What was said in the signed-in user's chats, the best hits first: titles, questions and "
        "answers with all of the words.",
        SearchHits,
        parameters=(
            _query(
                "q",
                'Words, "phrases", beginnings of words (pass*) and words to leave out (-word).',
                type="string",
                maxLength=LONGEST_QUERY,
            ),
            _limit(20),
            _query("after", "`next` of the page before.", type="string"),
        ),
    ),
    "read_chat": Operation(
        "Read a chat",
        "A chat with its last messages, and what waits for approval.",
        ChatPage,
        parameters=(
            _CHAT_ID,
            _limit(50),
            _query("before", "`next` of the page before: earlier messages.", type="integer"),
            _PROTOCOL,
        ),
    ),
    "update_chat": Operation(
        "Change a chat",
        "Give a chat a title, or change what else its owner may change.",
        Chat,
        body=(UpdatedChat,),
    ),
    "delete_chat": Operation(
        "Delete a chat",
        "Delete a chat with all its rows, at once or after a time.",
        {"description": "It is deleted."},
        HTTPStatus.NO_CONTENT,
    ),
    "list_deleted_chats": Operation(
        "List deleted chats",
        "The signed-in user's chats that were deleted and can be restored, the first that was "
        "deleted first.",
        DeletedChats,
        parameters=(_limit(20),),
    ),
    "undelete_chat": Operation(
        "Restore a deleted chat", "Bring back a chat that was deleted for a time.", Chat
    ),
    "follow_answer": Operation(
        "Follow the answer",
        "The answer that is being given, from its beginning.",
        _STREAM,
        parameters=(_CHAT_ID, _PROTOCOL),
        others=((HTTPStatus.NO_CONTENT, "No answer is being given."),),
    ),
    "stop_answer": Operation(
        "Stop the answer", "Stop the answer that is being given. Its text so far stays.", Stopped
    ),
    "resume_answer": Operation(
        "Resume the answer",
        "Continue the last answer, which failed or was interrupted.",
        _STREAM,
        parameters=(_CHAT_ID, _PROTOCOL),
    ),
    "approve_tool_call": Operation(
        "Approve a tool call", "Let a tool call run.", OpenCalls, body=(ToolCallApproval,)
    ),
    "deny_tool_call": Operation(
        "Deny a tool call", "Do not let a tool call run.", OpenCalls, body=(ToolCallDenial,)
    ),
    "give_feedback": Operation(
        "Rate an answer",
        "Keep what the signed-in user thinks of an answer, or forget it.",
        KeptFeedback,
        body=(GivenFeedback,),
    ),
    "list_branches": Operation(
        "List versions",
        "The versions of a question or answer: what was edited or generated again.",
        Branches,
        parameters=(_CHAT_ID, _query("message", "The id of one of them.", type="string")),
    ),
    "restore_branch": Operation(
        "Go back to a version",
        "Make a version current, with all that followed it then.",
        {"description": "It is current."},
        HTTPStatus.NO_CONTENT,
        (WantedBranch,),
    ),
    "fork_chat": Operation(
        "Copy a chat",
        "A new chat with the messages up to one.",
        Chat,
        HTTPStatus.CREATED,
        (WantedCopy,),
    ),
    "read_file": Operation(
        "Read a file",
        "A file of the chat.",
        {"description": "The file.", "content": {"*/*": {"schema": {"type": "string"}}}},
        parameters=(_CHAT_ID, _FILE_HASH),
    ),
}
"""By the name of the route."""
