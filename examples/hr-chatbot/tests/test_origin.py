"""What a page of another site can change here: nothing, whatever its browser says or leaves out."""

from dataclasses import replace

import httpx
import pytest
from hr.app import create_app
from hr.settings import Settings, Unusable
from hr.sign_in import COOKIE

from conftest import PASSWORDS

ADA = {"email": "ada@example.com", "password": PASSWORDS["ada"]}


@pytest.fixture
def page(hr):
    """The application as it was set up, at an address, asked for by a program that says nothing."""

    def opened(base_url="http://hr.example", **settings):
        changed = replace(hr, settings=replace(hr.settings, **settings))
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(changed)), base_url=base_url
        )

    return opened


async def _status(client, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return (await client.post("/api/sign-in", json=ADA, headers=named)).status_code


OTHERS = [
    "http://evil.example",
    "http://hr.example.evil.example",
    "http://hr.example:8080",
    "https://hr.example:8443",
    "http://sub.hr.example",
    "http://hr.example@evil.example",
    "http://evil.example/http://hr.example",
    "file://hr.example",
    "//hr.example",
    "hr.example",
    "null",
    "http://",
    "http://[",
    "http://hr.example:port",
]


@pytest.mark.parametrize("origin", OTHERS)
async def test_another_origin_changes_nothing_on_plain_http(page, origin):
    async with page() as client:
        assert await _status(client, origin=origin) == 403
        assert await _status(client, referer=f"{origin}/page") == 403
        assert await _status(client, referer="http://hr.example/", origin=origin) == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_every_method_that_changes_something_is_guarded(page, method):
    async with page() as client:
        response = await client.request(method, "/api/any", headers={"origin": OTHERS[0]})
        assert response.status_code == 403
        assert response.json()["error"]["code"] == "forbidden"


async def test_the_applications_own_page_is_let_in(page):
    async with page() as client:
        assert await _status(client, origin="http://hr.example") == 200
        assert await _status(client, origin="http://HR.example:80") == 200
        assert await _status(client, referer="http://hr.example/?x#y") == 200
    async with page("http://hr.example:8000") as client:
        assert await _status(client, origin="http://hr.example:8000") == 200
        assert await _status(client, origin="http://hr.example") == 403


async def test_a_program_without_a_cookie_may_leave_the_origin_out_and_one_with_a_cookie_not(page):
    async with page() as client:
        assert await _status(client) == 200
        assert COOKIE in client.cookies
        assert await _status(client) == 403
        assert await _status(client, origin="http://hr.example") == 200


async def test_https_in_front_of_a_server_that_knows_http_only_is_its_own_origin(page):
    async with page() as client:
        assert await _status(client, origin="https://hr.example") == 200


async def test_a_plain_page_of_the_same_name_changes_nothing_over_https(page):
    async with page("https://hr.example") as client:
        assert await _status(client, origin="http://hr.example") == 403
        assert await _status(client, origin="https://hr.example") == 200


async def test_a_forwarded_host_is_not_trusted_and_a_configured_address_is(page):
    behind = {"origin": "https://hr.example", "x_forwarded_host": "hr.example"}
    async with page("http://backend:8000") as client:
        assert await _status(client, **behind) == 403
    async with page("http://backend:8000", url="https://hr.example/") as client:
        assert await _status(client, **behind) == 200
        assert await _status(client, origin="http://backend:8000") == 403


async def test_a_name_that_another_site_points_to_this_machine_changes_nothing(page):
    for name in ("localhost", "127.0.0.1", "[::1]"):
        async with page(f"http://{name}:8000", host="127.0.0.1") as client:
            assert await _status(client, origin=f"http://{name}:8000") == 200
    async with page("http://evil.example:8000", host="127.0.0.1") as client:
        refused = await client.post(
            "/api/sign-in", json=ADA, headers={"origin": "http://evil.example:8000"}
        )
        assert refused.status_code == 403
        assert "HR_URL" in refused.json()["error"]["message"]


async def test_with_https_the_cookie_is_for_this_host_and_for_https_only(page):
    for at, settings in (
        ("https://hr.example", {}),
        ("http://hr.example", {"url": "https://hr.example"}),
    ):
        async with page(at, **settings) as client:
            headers = {"origin": "https://hr.example"}
            response = await client.post("/api/sign-in", json=ADA, headers=headers)
            cookie = response.headers["set-cookie"]
            assert cookie.startswith(f"__Host-{COOKIE}=")
            assert "Secure" in cookie and "Path=/" in cookie and "Domain" not in cookie
            sent = {"cookie": cookie.partition(";")[0]}
            assert (await client.get("/api/me", headers=sent)).status_code == 200


@pytest.mark.parametrize("told", ["hr.example", "ftp://hr.example", "https://", "https://a/b"])
def test_an_invalid_address_is_reported_by_name(monkeypatch, told):
    monkeypatch.setenv("HR_URL", told)
    with pytest.raises(Unusable, match="HR_URL is an address"):
        Settings()
