"""Reloads, other tabs and dead servers: nothing that was seen is lost."""

from __future__ import annotations

from playwright.sync_api import expect

from .app import App
from .visitor import Visitor, status


def test_a_reload_in_mid_answer_continues_the_answer(ada: Visitor) -> None:
    answer = ada.ask("Give me a long answer")
    expect(answer).to_contain_text("(10) ")
    ada.page.reload()
    expect(answer).to_contain_text("(10) ")
    status(answer, "complete", within=30)
    expect(answer).to_contain_text("(200) ")
    assert answer.inner_text().count("(1) ") == 1


def test_a_second_tab_streams_the_answer(ada: Visitor) -> None:
    status(ada.ask("How many days of leave can I carry over?"), "complete")
    second = ada.open_tab(f"/{ada.page.evaluate('location.hash')}")
    in_second = second.get_by_test_id("answer")
    expect(in_second).to_have_count(1)
    answer = ada.ask("Give me a long answer")
    expect(in_second.nth(1)).to_contain_text("(5) ", timeout=5_000)
    status(in_second.nth(1), "complete", within=30)
    status(answer, "complete")
    assert in_second.nth(1).inner_text() == answer.inner_text()


def test_an_approval_in_one_tab_is_seen_in_the_other(ada: Visitor) -> None:
    answer = ada.ask("I would like a day off")
    answer.get_by_test_id("approval").wait_for()
    second = ada.open_tab(f"/{ada.page.evaluate('location.hash')}")
    second.get_by_role("button", name="Deny").click()
    expect(answer).to_contain_text("nothing was booked", timeout=5_000)


def test_another_chat_and_back_again_finds_the_answer_still_coming(ada: Visitor) -> None:
    answer = ada.ask("Give me a long answer")
    expect(answer).to_contain_text("(5) ")
    ada.page.get_by_test_id("new-chat").click()
    ada.page.get_by_role("heading", name="Good to see you").wait_for()
    ada.page.go_back()
    expect(answer).to_contain_text("(20) ")
    ada.page.get_by_role("button", name="Stop").click()
    status(answer, "interrupted")


def test_a_killed_server_leaves_the_answer_and_a_way_to_go_on(ada: Visitor, app: App) -> None:
    ada.forgive("net::ERR_")
    answer = ada.ask("Give me a long answer")
    expect(answer).to_contain_text("(20) ")
    app.kill()
    expect(ada.page.get_by_test_id("offline")).to_be_visible()
    expect(answer).to_contain_text("(20) ")
    app.start()
    status(answer, "interrupted", within=60)
    expect(answer).to_contain_text("(20) ")
    expect(ada.page.get_by_test_id("offline")).to_have_count(0)
    ada.picture("interrupted")
    ada.page.get_by_role("button", name="Go on").click()
    status(ada.page.get_by_test_id("answer").last, "complete", within=30)
    expect(ada.page.get_by_test_id("answer").last).to_contain_text("(200) ")


def test_a_question_that_did_not_get_through_is_sent_again_once(ada: Visitor) -> None:
    status(ada.ask("How many days of leave can I carry over?"), "complete")
    ada.forgive("net::ERR_")
    ada.page.route("**/api/chats", lambda route: route.abort(), times=1)
    ada.page.get_by_test_id("composer").fill("And in the first year?")
    ada.page.keyboard.press("Enter")
    expect(ada.page.get_by_test_id("unsent")).to_contain_text("And in the first year?")
    ada.page.get_by_role("button", name="Send again").click()
    status(ada.page.get_by_test_id("answer").nth(1), "complete")
    expect(ada.page.get_by_test_id("question")).to_have_count(2)
