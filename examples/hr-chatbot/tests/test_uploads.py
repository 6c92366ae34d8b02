"""Documents that people upload: limits, kinds, names."""

import asyncio
import zlib

import psutil
import pytest
from hr import reading
from hr.documents import safe_name
from hr.sizes import LARGEST_DOCUMENT
from hr.splitting import split
from hr.tables import Document, Passage, User
from sqlalchemy import delete, select, update


@pytest.fixture(autouse=True)
async def no_uploads(hr):
    yield
    async with hr.sessions.begin() as session:
        uploads = (await session.execute(Document.__table__.select())).all()
        names = [it.name for it in uploads if it.origin == "upload"]
        await session.execute(delete(Passage).where(Passage.document.in_(names)))
        await session.execute(delete(Document).where(Document.name.in_(names)))


async def _upload(client, name, content):
    return await client.post("/api/documents", files={"file": (name, content)})


async def _replace(client, name, file, content):
    return await client.put(f"/api/documents/{name}", files={"file": (file, content)})


async def test_an_uploaded_document_is_found_and_replaced_by_its_name(hr, admin):
    for text in ("Yaks are fed at noon.", "Yaks are fed at six."):
        response = await _upload(admin, "yaks.md", f"# Yaks\n\n## Feeding\n\n{text}".encode())
        assert response.status_code == 201, response.text
    assert (response.json()["name"], response.json()["title"]) == ("yaks.md", "Yaks")
    found = await hr.search("When are the yaks fed?")
    assert [it.text for it in found if it.document == "yaks.md"] == ["Yaks are fed at six."]


async def test_an_uploaded_document_is_replaced_by_a_file_of_another_name(hr, admin):
    await _upload(admin, "yaks.md", b"# Yaks\n\n## Feeding\n\nYaks are fed at noon.")
    response = await _replace(admin, "yaks.md", "new.md", b"# Yaks\n\n## Feeding\n\nAt six.")
    assert (response.status_code, response.json()["name"]) == (200, "yaks.md")
    assert "At six." in response.text and "noon" not in response.text
    assert (await admin.get("/api/documents/new.md")).status_code == 404


async def test_a_removed_document_is_not_found_any_more(hr, admin):
    await _upload(admin, "yaks.md", b"# Yaks\n\n## Feeding\n\nYaks are fed at noon.")
    assert (await admin.delete("/api/documents/yaks.md")).status_code == 204
    assert (await admin.get("/api/documents/yaks.md")).status_code == 404
    assert not [it for it in await hr.search("When are yaks fed?") if it.document == "yaks.md"]
    assert (await admin.delete("/api/documents/yaks.md")).status_code == 404


async def test_only_hr_and_administrators_add_replace_and_remove(hr, visitor, ada, admin):
    await _upload(admin, "yaks.md", b"# Yaks\n\nYaks.")
    for client, status in ((visitor, 401), (ada, 403)):
        assert (await _upload(client, "yaks.md", b"# Yaks\n\nYaks.")).status_code == status
        assert (await _replace(client, "yaks.md", "b.md", b"Y")).status_code == status
        assert (await client.delete("/api/documents/yaks.md")).status_code == status
    async with hr.sessions.begin() as session:
        await session.execute(update(User).where(User.name == "Ada Moreau").values(role="hr"))
    try:
        assert (await _replace(ada, "yaks.md", "b.md", b"# Y\n\nNew.")).status_code == 200
        assert (await ada.delete("/api/documents/yaks.md")).status_code == 204
    finally:
        async with hr.sessions.begin() as session:
            back = update(User).where(User.name == "Ada Moreau").values(role="employee")
            await session.execute(back)


async def test_the_handbook_itself_is_neither_replaced_nor_removed(admin):
    assert (await _replace(admin, "travel.md", "new.md", b"# T\n\nNew.")).status_code == 409
    assert (await admin.delete("/api/documents/travel.md")).status_code == 409
    assert (await admin.get("/api/documents/travel.md")).status_code == 200


async def test_a_replacement_that_cannot_be_read_changes_nothing(admin):
    await _upload(admin, "yaks.md", b"# Yaks\n\nYaks.")
    assert (await _replace(admin, "yaks.md", "new.pdf", b"no pdf")).status_code == 415
    assert (await _replace(admin, "yaks.md", "new.md", b"\xff\xfe")).status_code == 422
    assert (await _replace(admin, "goats.md", "new.md", b"# G\n\nG.")).status_code == 404
    assert "Yaks." in (await admin.get("/api/documents/yaks.md")).text


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/Passwd.txt", "passwd.txt"),
        ("..\\..\\windows\\system.md", "system.md"),
        ("/abs/olute.pdf", "olute.pdf"),
        ("a b\0c<script>.md", "a-b-c-script.md"),
        ("%2e%2e%2fx.md", "2e-2e-2fx.md"),
    ],
)
def test_a_name_is_never_a_path(given, name):
    assert safe_name(given) == name


@pytest.mark.parametrize("name", ["../..", ".md", "x", "x.exe", "x.md.html", "..pdf", "日本.md"])
async def test_other_files_are_refused(admin, name):
    assert (await _upload(admin, name, b"# Text\n\nText.")).status_code == 415


async def test_a_document_of_the_handbook_is_not_replaced(admin, hr):
    response = await _upload(admin, "x/../travel.md", b"# Travel\n\nFly first class.")
    assert response.status_code == 409
    assert not [it for it in await hr.search("fly first class") if "Fly first" in it.text]


async def test_a_file_that_is_too_large_is_refused(admin):
    assert (await _upload(admin, "big.txt", b"x" * (LARGEST_DOCUMENT + 2**17))).status_code == 413
    assert (await _upload(admin, "big.txt", b"x" * (LARGEST_DOCUMENT + 1))).status_code == 413


@pytest.mark.parametrize(
    ("name", "content"), [("a.pdf", b"no pdf"), ("a.md", b"\xff\xfe"), ("a.txt", b"")]
)
async def test_a_malformed_document_is_refused_with_its_reason(admin, name, content):
    response = await _upload(admin, name, content)
    assert response.status_code == 422
    assert response.json()["error"]["message"]


async def test_a_document_sent_twice_at_once_is_there_once(hr, admin):
    contents = [b"# Yaks\n\nYaks, version %d." % number for number in range(6)]
    sent = await asyncio.gather(*(_upload(admin, "yaks.md", each) for each in contents))
    assert {it.status_code for it in sent} == {201}
    async with hr.sessions() as session:
        kept = await session.scalars(select(Passage.text).where(Passage.document == "yaks.md"))
        assert len(kept.all()) == 1


async def test_a_document_of_too_many_passages_is_refused(admin):
    sections = b"\n\n".join(b"## %d\n%d" % (number, number) for number in range(3_000))
    response = await _upload(admin, "many.md", sections)
    assert response.status_code == 422
    assert "split it" in response.json()["error"]["message"]


async def test_a_title_does_not_fill_every_passage(admin):
    response = await _upload(admin, "long.md", b"# " + b"T" * 100_000 + b"\n\n## H\n\nText.")
    assert response.status_code == 201
    assert response.json()["title"] == 200 * "T"


def test_halves_of_characters_in_a_pdf_are_left_out():
    def object_of(number, content):
        return b"%d 0 obj\n" % number + content + b"\nendobj\n"

    def stream(content):
        return b"<</Length %d>>stream\n" % len(content) + content + b"\nendstream"

    letters = (
        b"1 begincodespacerange <00> <ff> endcodespacerange\n1 beginbfchar <41> <D800> endbfchar"
    )
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>"
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        page,
        stream(b"BT /F 12 Tf (Yaks A sleep) Tj ET"),
        font,
        stream(b"begincmap\n" + letters + b"\nendcmap"),
    ]
    body = b"".join(object_of(number, each) for number, each in enumerate(objects, 1))
    (piece,) = split(
        "a.pdf", b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R/Size 7>>\nstartxref\n0\n%%EOF\n"
    ).pieces
    assert piece.text == "Yaks sleep"


def _pdf(pages, packed):
    """One whose text is packed, on as many pages as it likes."""
    stream = b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, b"3 0 R " * pages),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        stream,
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body = b"".join(
        b"%d 0 obj\n%s\nendobj\n" % (number, each) for number, each in enumerate(objects, 1)
    )
    return b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R/Size 6>>\nstartxref\n0\n%%EOF\n"


async def test_a_packed_document_is_read(admin):
    content = _pdf(1, zlib.compress(b"BT /F 12 Tf (Yaks are asleep) Tj ET"))
    response = await _upload(admin, "packed.pdf", content)
    assert response.status_code == 201, response.text
    assert "Yaks are asleep" in response.text


async def test_a_small_file_that_unpacks_to_very_much_is_refused_and_its_reader_is_gone(
    admin, monkeypatch
):
    monkeypatch.setattr("hr.reading.SECONDS", 2)
    content = _pdf(200, zlib.compress(b"BT /F 12 Tf (Yaks) Tj ET\n" * 2_000_000))
    assert len(content) < 2**18
    response = await _upload(admin, "small.pdf", content)
    assert response.status_code == 422
    assert "too much memory or time" in response.json()["error"]["message"]
    assert not [it for it in psutil.Process().children() if "hr.reading" in it.cmdline()]


@pytest.mark.parametrize("name", ["a.zip", "a.docx", "a.html", "a.svg", "a.md.gz"])
async def test_archives_and_pages_are_not_taken(admin, name):
    assert (await _upload(admin, name, b"PK\x03\x04")).status_code == 415


async def test_secrets_are_not_handed_to_the_reader_of_a_strangers_file(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("HR_DATABASE_URL", "secret")
    assert "secret" not in reading._environment().values()


async def test_of_many_uploads_at_once_some_have_to_come_again(admin):
    sent = await asyncio.gather(
        *(_upload(admin, f"yaks-{number}.md", b"# Yaks\n\nYaks.") for number in range(30))
    )
    refused = [it for it in sent if it.status_code == 429]
    assert refused and {it.status_code for it in sent} == {201, 429}
    assert {it.headers["retry-after"] for it in refused} == {"60"}


async def test_uploads_cannot_fill_the_handbook_without_end(admin, monkeypatch):
    monkeypatch.setattr("hr.ingest.MOST_UPLOADED", 2)
    text = b"# Yaks\n\n## One\n\nYaks.\n\n## Two\n\nYaks."
    assert (await _upload(admin, "yaks.md", text)).status_code == 201
    assert (await _upload(admin, "yaks.md", text + b"!")).status_code == 201
    full = await _upload(admin, "more.md", text)
    assert full.status_code == 409
    assert "shorter" in full.json()["error"]["message"]


async def test_a_form_with_more_than_a_file_is_refused(admin):
    file = ("yaks.md", b"# Yaks\n\nYaks.")
    two = await admin.post("/api/documents", files=[("file", file), ("file", file)])
    assert two.status_code == 400
    more = await admin.post("/api/documents", files={"file": file}, data={"a": "b"})
    assert more.status_code == 400
    other = await admin.post("/api/documents", files={"other": file})
    assert other.status_code == 422
    assert (await admin.post("/api/documents", data={"file": "x"})).status_code == 415


@pytest.mark.parametrize("signed_in", [False, True])
async def test_a_document_is_not_even_read_from_who_may_not_add_one(visitor, ada, signed_in):
    sent = 0

    async def form():
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        while sent < LARGEST_DOCUMENT:
            sent += 2**16
            yield b"x" * 2**16

    headers = {"content-type": "multipart/form-data; boundary=x"}
    client = ada if signed_in else visitor
    response = await client.post("/api/documents", content=form(), headers=headers)
    assert response.status_code == (403 if signed_in else 401)
    assert sent == 0


async def test_a_page_of_another_site_changes_nothing(admin):
    for site, status in {"cross-site": 403, "same-site": 403, "same-origin": 201}.items():
        sent = {"file": ("yaks.md", b"# Yaks\n\nYaks.")}
        headers = {"sec-fetch-site": site}
        response = await admin.post("/api/documents", files=sent, headers=headers)
        assert response.status_code == status
    assert (await admin.get("/api/me", headers={"sec-fetch-site": "cross-site"})).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"--x", b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nx\r\n--x--"]
)
async def test_a_malformed_form_is_refused(admin, body):
    headers = {"content-type": "multipart/form-data; boundary=x"}
    response = await admin.post("/api/documents", content=body, headers=headers)
    assert response.status_code in {400, 422}
    assert "error" in response.json()


@pytest.mark.parametrize("name", ["nothing.md", "..%2f..%2fpyproject.toml", "%00", "travel"])
async def test_only_documents_are_served(admin, name):
    assert (await admin.get(f"/api/documents/{name}")).status_code == 404


@pytest.mark.parametrize("path", ["/api/sign-in", "/api/documents", "/api/chats"])
async def test_no_body_is_read_without_end(admin, path):
    """Whatever it says of its length: an endless one is refused, long before it fills anything."""
    sent = 0

    async def endless():
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        while sent < 100 * LARGEST_DOCUMENT:
            sent += 2**16
            yield b"x" * 2**16

    kind = "multipart/form-data; boundary=x" if path.endswith("documents") else "application/json"
    response = await admin.post(path, content=endless(), headers={"content-type": kind})
    assert response.status_code == 413, response.text
    assert "error" in response.json()
    assert sent < 2 * LARGEST_DOCUMENT


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"email": 1}', b"\xff", b"[" * 10_000]
)
@pytest.mark.parametrize("path", ["/api/sign-in", "/api/chats", "/api/chats/new"])
async def test_a_malformed_body_is_refused(admin, path, body):
    response = await admin.post(path, content=body, headers={"content-type": "application/json"})
    if (path, body) != ("/api/chats/new", b'{"email": 1}'):
        assert response.status_code in {400, 415, 422}, response.text
    assert response.status_code < 500
