"""Somebody with a browser: what they do, and what their console says."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, expect

PICTURES = Path(__file__).resolve().parents[2] / "docs"


class Visitor:
    """One browser profile, with as many tabs as they open. Leaving checks the console."""

    def __init__(self, browser: Browser, url: str, *, phone: bool = False) -> None:
        size = {"width": 390, "height": 780} if phone else {"width": 1280, "height": 800}
        self._context = browser.new_context(
            viewport=size, has_touch=phone, is_mobile=phone, color_scheme="light"
        )
        self._url = url
        self._errors: list[str] = []
        self._forgiven = ["/api/me 401"]
        self.page = self.open_tab()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._context.close()
        if kind is None:
            assert not self.errors(), "\n".join(self.errors())

    def open_tab(self, path: str = "/") -> Page:
        page = self._context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", self._note)
        page.on("pageerror", self._note_exception)
        page.goto(self._url + path)
        return page

    def errors(self) -> list[str]:
        """What the console has said, but for what was to be expected."""
        return [it for it in self._errors if not any(known in it for known in self._forgiven)]

    def forgive(self, *errors: str) -> None:
        """Expect errors with these words in them."""
        self._forgiven += errors

    def sign_in(self, name: str, password: str | None = None) -> None:
        self.page.get_by_label("E-mail").fill(f"{name}@example.com")
        self.page.get_by_label("Password").fill(password or f"{name}-demo")
        self.page.get_by_role("button", name="Sign in", exact=True).click()

    def ask(self, question: str) -> Locator:
        """Ask in the open chat, or in a new one; the answer to come."""
        answers = self.page.get_by_test_id("answer")
        before = answers.count()
        box = self.page.get_by_test_id("composer")
        box.fill(question)
        box.press("Enter")
        return answers.nth(before)

    def picture(self, name: str) -> None:
        """Keep what is seen for the README, if asked to (HR_PICTURES=1)."""
        if os.environ.get("HR_PICTURES"):
            PICTURES.mkdir(exist_ok=True)
            self.page.wait_for_timeout(400)
            self.page.screenshot(path=PICTURES / f"{name}.png")

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            where = message.location.get("url", "").removeprefix(self._url)
            status = " 401" if "401" in message.text else ""
            self._errors.append(f"{where}{status} {message.text}")

    def _note_exception(self, error: Error) -> None:
        self._errors.append(f"exception {error}")


def status(answer: Locator, name: str, *, within: float = 15) -> None:
    """Wait until an answer is complete, interrupted, failed, parked or streaming."""
    expect(answer).to_have_attribute("data-status", name, timeout=within * 1000)
