"""What browsers are told, so that a fault of the page does little."""

import base64

import pytest

from chatrecord.testing import say
from conftest import new_chat


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/chats/any",
        "/api/me",
        "/api/any",
        "/../../etc/passwd",
        "/assets/..%2f..%2fhr%2fapp.py",
    ],
)
async def test_every_answer_tells_the_browser_to_be_careful(visitor, path):
    response = await visitor.get(path)
    told = response.headers
    policy = dict(it.strip().split(" ", 1) for it in told["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert {policy[f"{it}-src"] for it in ("script", "style", "img", "connect")} == {"'self'"}
    assert told["x-content-type-options"] == "nosniff"
    assert told["x-frame-options"] == "DENY"
    assert told["referrer-policy"] == "same-origin"
    assert told["cross-origin-resource-policy"] == "same-origin"
    assert told["cross-origin-opener-policy"] == "same-origin"
    assert told["x-dns-prefetch-control"] == "off"
    assert "SameOrigin" not in response.text and "root:" not in response.text


async def test_a_refusal_has_these_headers_too(visitor):
    for response in [
        await visitor.post("/api/sign-in", headers={"origin": "http://evil.example"}),
        await visitor.post("/api/sign-in", content=b"x" * 100_000),
    ]:
        assert response.status_code in {403, 413, 422}
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert response.headers["cache-control"] == "no-store"


async def test_nothing_private_stays_in_a_cache_files_and_streams_neither(ada, llm):
    llm.then([say("A picture.")])
    chat, data = await new_chat(ada), b"GIF89a"
    parts = [
        {"type": "text", "text": "What is this?"},
        {
            "type": "file",
            "mediaType": "image/gif",
            "url": f"data:image/gif;base64,{base64.b64encode(data).decode()}",
        },
    ]
    body = {"id": chat, "messages": [{"role": "user", "id": "m1", "parts": parts}]}
    stream = await ada.post("/api/chats", json=body)
    assert stream.status_code == 200
    assert stream.headers["cache-control"] == "no-store, no-transform"
    asked = (await ada.get(f"/api/chats/{chat}")).json()["messages"][0]
    (url,) = (part["url"] for part in asked["parts"] if part["type"] == "file")
    file = await ada.get(url)
    assert file.content == data
    assert file.headers["cache-control"] == "no-store"
    assert "sandbox" in file.headers["content-security-policy"]
    assert file.headers["x-content-type-options"] == "nosniff"
    for path in ("/api/me", "/api/chats", f"/api/chats/{chat}", "/api/documents"):
        assert (await ada.get(path)).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/xhtml+xml"])
async def test_a_file_that_a_browser_would_run_is_only_saved(ada, llm, kind):
    llm.then([say("A file.")])
    chat = await new_chat(ada)
    data = base64.b64encode(b"<svg onload='window.broken = 1'/>").decode()
    parts = [
        {"type": "text", "text": "?"},
        {"type": "file", "mediaType": kind, "url": f"data:{kind};base64,{data}"},
    ]
    body = {"id": chat, "messages": [{"role": "user", "id": "m1", "parts": parts}]}
    await ada.post("/api/chats", json=body)
    asked = (await ada.get(f"/api/chats/{chat}")).json()["messages"][0]
    (url,) = (part["url"] for part in asked["parts"] if part["type"] == "file")
    file = await ada.get(url)
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-disposition"].startswith("attachment")


async def test_no_address_of_elsewhere_is_fetched_for_a_question(ada):
    for url in ("http://127.0.0.1:1/a.png", "https://tracker.invalid/a.png", "file:///etc/passwd"):
        parts = [
            {"type": "text", "text": "?"},
            {"type": "file", "mediaType": "image/png", "url": url},
        ]
        body = {
            "id": await new_chat(ada),
            "messages": [{"role": "user", "id": "m1", "parts": parts}],
        }
        assert (await ada.post("/api/chats", json=body)).status_code == 422
