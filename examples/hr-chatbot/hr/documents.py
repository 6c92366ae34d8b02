"""The handbook over the web: to read, to open at a citation, and to add to."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request
from sqlalchemy import select
from starlette.datastructures import UploadFile

from .hr import Hr
from .ingest import KINDS, HandbookFull
from .lines import LineFull
from .sign_in import HrDep, only, signed_in
from .sizes import LARGEST_DOCUMENT, too_large
from .splitting import UnreadableDocument
from .tables import Document, Passage
from .texts import plain

router = APIRouter(prefix="/api", dependencies=[Depends(signed_in)])

EDITORS = only("administrator", "hr")
"""Who may add, replace and remove documents."""


@router.get("/documents")
async def documents(hr: HrDep) -> Any:
    async with hr.sessions() as session:
        found = await session.scalars(select(Document).order_by(Document.title))
        return [_named(document) for document in found]


@router.get("/documents/{name}")
async def document(name: str, hr: HrDep) -> Any:
    """A document as its passages make it up, in sections, or in pages where it has them."""
    name = plain(name)
    async with hr.sessions() as session:
        found = await session.get(Document, name)
        if found is None:
            raise HTTPException(404, "There is no such document")
        in_order = select(Passage).where(Passage.document == name).order_by(Passage.place)
        passages = (await session.scalars(in_order)).all()
    if found.kind == "pdf":
        return _named(found) | {"pages": _grouped(passages, lambda it: it.page)}
    return _named(found) | {"sections": _grouped(passages, lambda it: it.heading)}


@router.get("/passages/{passage_id}")
async def passage(passage_id: str, hr: HrDep) -> Any:
    async with hr.sessions() as session:
        found = await session.get(Passage, plain(passage_id))
    if found is None:
        raise HTTPException(404, "This passage is not in the handbook any more")
    names = ("id", "document", "title", "heading", "page", "text")
    return {name: getattr(found, name) for name in names}


@router.post("/documents", status_code=201, dependencies=[EDITORS])
async def add(request: Request, hr: HrDep) -> Any:
    """Take a document into the handbook. One of the same name that was uploaded is replaced."""
    name, content = await _sent(request)
    known = await _known(name, hr)
    if known is not None and known.origin == "handbook":
        raise HTTPException(409, f"{name} is part of the handbook: give the file another name")
    return await _uploaded(name, content, hr)


@router.put("/documents/{name}", dependencies=[EDITORS])
async def replace(name: str, request: Request, hr: HrDep) -> Any:
    """Another file, whatever its name, in place of an upload."""
    known = await _upload_of(plain(name), hr)
    given, content = await _sent(request)
    if given.rpartition(".")[2] != known.kind:
        raise HTTPException(415, f"{known.name} is replaced by another .{known.kind} file")
    return await _uploaded(known.name, content, hr)


@router.delete("/documents/{name}", status_code=204, dependencies=[EDITORS])
async def remove(name: str, hr: HrDep) -> None:
    """Take an upload out of the handbook."""
    known = await _upload_of(plain(name), hr)
    await hr.ingestion.remove(known.name)


async def _upload_of(name: str, hr: Hr) -> Document:
    """An upload by its name. What is in the folder is changed there."""
    known = await _known(name, hr)
    if known is None:
        raise HTTPException(404, "There is no such document")
    if known.origin != "upload":
        raise HTTPException(409, f"{name} is part of the handbook: it is changed in its folder")
    return known


async def _known(name: str, hr: Hr) -> Document | None:
    async with hr.sessions() as session:
        return await session.get(Document, name)


async def _uploaded(name: str, content: bytes, hr: Hr) -> Any:
    try:
        await hr.ingestion.upload(name, content)
    except UnreadableDocument as error:
        raise HTTPException(422, str(error)) from error
    except HandbookFull as error:
        raise HTTPException(409, str(error)) from error
    except LineFull as error:
        told = "Too many documents are being read: try again in a minute"
        raise HTTPException(429, told, {"retry-after": "60"}) from error
    return await document(name, hr)


async def _sent(request: Request) -> tuple[str, bytes]:
    """Name and content of the one file of a form. Only now, when it is known whose form it is."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise HTTPException(415, "Send the document as the file of a form: multipart/form-data")
    async with request.form(max_files=1, max_fields=0) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise HTTPException(422, "The form has no file with the name 'file'")
        name, content = safe_name(file.filename or ""), await file.read()
    if len(content) > LARGEST_DOCUMENT:
        raise too_large(LARGEST_DOCUMENT)
    return name, content


def safe_name(given: str) -> str:
    """The last part of a file's name, in plain letters. It is a key, and never a path."""
    stem, _, kind = re.split(r"[/\\]", given)[-1].lower().rpartition(".")
    stem = re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:80]
    if kind not in KINDS or not stem:
        raise HTTPException(415, f"A document is a file of the kind {', '.join(KINDS)}")
    return f"{stem}.{kind}"


def _named(document: Document) -> dict[str, Any]:
    names = ("name", "title", "kind", "origin")
    return {name: getattr(document, name) for name in names}


def _grouped(passages: Sequence[Passage], by: Callable[[Passage], Any]) -> list[dict[str, Any]]:
    groups = [list(group) for _, group in groupby(passages, by)]
    return [
        {
            "heading": group[0].heading,
            "page": group[0].page,
            "text": "\n\n".join(it.text for it in group),
            "passageIds": [it.id for it in group],
            "passages": [{"id": it.id, "heading": it.heading, "text": it.text} for it in group],
        }
        for group in groups
    ]
