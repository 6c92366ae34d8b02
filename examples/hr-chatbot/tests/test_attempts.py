"""Wrong passwords: how many, from where, and what they hold up."""

import asyncio
import threading
from dataclasses import replace
from itertools import islice

import httpx
import pytest
from hr import attempts, passwords
from hr.__main__ import config_of
from hr.attempts import CROWD, MOST_KEPT, OF_ADDRESS, OF_PERSON, WINDOW, Attempts, TooManyAttempts

from conftest import HERE, PASSWORDS, client_of

ADA = {"email": "ada@example.com", "password": PASSWORDS["ada"]}


FLOOD = 40


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def attempts_made(clock):
    return Attempts(clock)


@pytest.fixture
def quick(monkeypatch):
    """Without the work of a hash, which is none of these tests' matter."""
    right = passwords.hashed("x")
    monkeypatch.setattr("hr.sign_in.NOBODYS", right)
    monkeypatch.setattr(passwords, "matches", lambda password, _: password == ADA["password"])


async def test_a_flood_of_wrong_passwords_holds_up_no_search_and_ends_with_what_to_do(
    hr, monkeypatch
):
    held = threading.Event()
    slow = passwords._scrypt

    def waiting(password, salt):
        held.wait(60)
        return slow(password, salt)

    monkeypatch.setattr(passwords, "_scrypt", waiting)
    too_many = FLOOD - passwords.AT_ONCE - passwords.WAITING
    async with client_of(hr) as client:
        told = [{"email": f"{number}@example.com", "password": "x"} for number in range(FLOOD)]
        flood = [asyncio.create_task(client.post("/api/sign-in", json=each)) for each in told]
        try:
            async with asyncio.timeout(30):
                found = await hr.search("How many days of leave can I carry over?")
                refused = [await it for it in islice(asyncio.as_completed(flood), too_many)]
        finally:
            held.set()
        responses = await asyncio.gather(*flood)
    assert found
    assert {(it.status_code, it.headers["retry-after"]) for it in refused} == {(503, "5")}
    assert [it.status_code for it in responses].count(401) == FLOOD - too_many


async def test_one_address_may_not_go_on_guessing_and_others_sign_in_meanwhile(hr, quick):
    async with client_of(hr) as client:
        wrong = ADA | {"password": "wrong"}
        statuses = [
            (await client.post("/api/sign-in", json=wrong)).status_code
            for _ in range(OF_PERSON + 1)
        ]
        assert statuses == [401] * OF_PERSON + [429]
        refused = await client.post("/api/sign-in", json=ADA)  # even the right one, from there
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= WINDOW
        assert refused.json()["error"]["code"] == "too_many_requests"
        client._transport.client = ("192.0.2.2", 1)
        assert (await client.post("/api/sign-in", json=ADA)).status_code == 200


async def test_many_at_once_are_no_way_around_the_limit(hr, quick):
    async with client_of(hr) as client:
        wrong = ADA | {"password": "wrong"}
        sent = await asyncio.gather(*(client.post("/api/sign-in", json=wrong) for _ in range(20)))
    assert [it.status_code for it in sent].count(401) == OF_PERSON


async def _guesses(hr, forwarded):
    """What is answered to wrong passwords that each say to come from another address."""
    config = config_of(hr)
    config.load()
    transport = httpx.ASGITransport(config.loaded_app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        wrong = ADA | {"password": "wrong"}
        for number in range(OF_PERSON + 1):
            headers = {"origin": HERE, "x-forwarded-for": forwarded.format(number)}
            response = await client.post("/api/sign-in", json=wrong, headers=headers)
    return response.status_code


async def test_an_address_that_a_request_says_itself_is_no_way_around_the_limit(hr, quick):
    assert await _guesses(hr, "192.0.2.{}") == 429


async def test_an_address_is_believed_of_a_known_proxy_and_only_the_last_one(hr, quick):
    proxied = replace(hr, settings=replace(hr.settings, proxies="127.0.0.1"))
    assert await _guesses(proxied, "192.0.2.{}") == 401
    assert await _guesses(proxied, "192.0.2.{}, 198.51.100.1") == 429


async def test_right_passwords_count_nothing(hr, quick):
    async with client_of(hr) as client:
        for _ in range(OF_ADDRESS + 1):
            assert (await client.post("/api/sign-in", json=ADA)).status_code == 200


def test_an_address_that_tries_many_people_is_stopped(attempts_made, clock):
    for number in range(OF_ADDRESS):
        attempts_made.begin("192.0.2.1", f"{number}@example.com")
    with pytest.raises(TooManyAttempts):
        attempts_made.begin("192.0.2.1", "another@example.com")
    clock.now = WINDOW
    attempts_made.begin("192.0.2.1", "another@example.com")


def test_failed_sign_ins_elsewhere_lock_nobody_out(attempts_made):
    for number in range(CROWD):
        attempts_made.begin(f"192.0.2.{number}", "ada@example.com")
    attempts_made.begin("198.51.100.1", "ada@example.com")


def test_a_crowd_of_addresses_has_one_guess_each(attempts_made):
    for number in range(CROWD):
        attempts_made.begin(f"192.0.2.{number}", "ada@example.com")
    attempts_made.begin("198.51.100.2", "ada@example.com")
    with pytest.raises(TooManyAttempts):
        attempts_made.begin("198.51.100.2", "ada@example.com")


def test_addresses_of_one_ipv6_network_are_one(attempts_made):
    for number in range(OF_PERSON):
        attempts_made.begin(f"2001:db8::{number}", "ada@example.com")
    with pytest.raises(TooManyAttempts):
        attempts_made.begin("2001:db8::ffff", "ada@example.com")
    attempts_made.begin("2001:db8:0:1::1", "ada@example.com")
    assert attempts.network_of("::ffff:192.0.2.1") == "192.0.2.1"


def test_what_is_remembered_of_a_flood_is_bounded(attempts_made):
    for number in range(MOST_KEPT + 100):
        attempts_made.begin(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", f"{number}@x")
    counts = (attempts_made._of_address, attempts_made._of_person, attempts_made._of_pair)
    assert [len(it) for it in counts] == [MOST_KEPT] * 3
