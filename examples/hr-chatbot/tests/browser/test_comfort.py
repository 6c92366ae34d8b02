"""Keyboard, phone and theme."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, expect

from .visitor import Visitor, status


def test_enter_sends_and_shift_enter_begins_a_line(ada: Visitor) -> None:
    box = ada.page.get_by_test_id("composer")
    box.fill("How many days of leave")
    box.press("Shift+Enter")
    ada.page.keyboard.type("can I carry over?")
    expect(box).to_have_value("How many days of leave\ncan I carry over?")
    box.press("Enter")
    expect(ada.page.get_by_test_id("question")).to_contain_text("can I carry over?")
    status(ada.page.get_by_test_id("answer"), "complete")


def test_the_composer_has_the_keyboard_when_a_chat_opens_and_after_sending(ada: Visitor) -> None:
    box = ada.page.get_by_test_id("composer")
    expect(box).to_be_focused()
    box.fill("How many days of leave can I carry over?")
    ada.page.get_by_role("button", name="Send").click()
    status(ada.page.get_by_test_id("answer"), "complete")
    expect(box).to_be_focused()
    box.fill("And in the first year?")
    ada.page.get_by_role("button", name="Send").click()
    status(ada.page.get_by_test_id("answer").nth(1), "complete")
    expect(box).to_be_focused()
    ada.page.get_by_role("link", name="Handbook", exact=True).click()
    ada.page.get_by_test_id("documents").wait_for()
    ada.page.get_by_test_id("chat-row").first.click()
    expect(ada.page.get_by_test_id("answer")).to_have_count(2)
    expect(box).to_be_focused()


def test_a_scrollbar_that_appears_shifts_nothing(ada: Visitor) -> None:
    answer = ada.ask("Give me a long answer")
    expect(answer).to_contain_text("(2) ")
    scroller = ada.page.get_by_test_id("messages")
    assert scroller.evaluate("it => it.scrollHeight <= it.clientHeight"), "no scrollbar yet"
    before = _left_and_width(answer)
    expect(answer).to_contain_text("(60) ")
    assert scroller.evaluate(
        "it => it.scrollHeight > it.clientHeight && it.offsetWidth > it.clientWidth"
    )
    assert _left_and_width(answer) == before
    form = ada.page.get_by_role("form", name="Ask a question")
    assert _left_and_width(form) == before, "the composer is in line with the answer"
    ada.page.get_by_role("button", name="Stop").click()


def _left_and_width(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"], box["width"]


def test_escape_stops_an_answer(ada: Visitor) -> None:
    answer = ada.ask("Give me a long answer")
    expect(answer).to_contain_text("(5) ")
    ada.page.get_by_test_id("composer").press("Escape")
    status(answer, "interrupted")


def test_the_first_tab_stop_skips_to_the_chat(ada: Visitor) -> None:
    ada.page.evaluate("document.querySelector('a, button, input, textarea').focus()")
    expect(ada.page.get_by_role("link", name="Skip to the chat")).to_be_focused()
    ada.page.keyboard.press("Enter")
    expect(ada.page.locator("main")).to_be_focused()


def test_a_whole_answer_is_announced_to_screen_readers(ada: Visitor) -> None:
    status(ada.ask("How many days of leave can I carry over?"), "complete")
    expect(ada.page.get_by_test_id("announcer")).to_contain_text("five unused days")


def test_a_chosen_theme_is_remembered(ada: Visitor) -> None:
    toggle = ada.page.get_by_test_id("theme")
    toggle.click()
    toggle.click()
    expect(toggle).to_have_accessible_name("Theme: dark")
    ada.page.reload()
    expect(toggle).to_have_accessible_name("Theme: dark")
    assert ada.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 21)"


def test_on_a_phone_the_chats_are_in_a_drawer(visit: Callable[..., Visitor]) -> None:
    ada = visit("ada", phone=True)
    sidebar = ada.page.get_by_test_id("sidebar")
    expect(sidebar).to_be_hidden()
    status(ada.ask("How many days of leave can I carry over?"), "complete")
    ada.page.get_by_role("button", name="Open the menu").click()
    expect(sidebar).to_be_visible()
    ada.page.get_by_test_id("new-chat").click()
    expect(sidebar).to_be_hidden()
    width = ada.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
