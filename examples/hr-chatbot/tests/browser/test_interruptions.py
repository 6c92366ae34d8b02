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
    answer = ada.ask("I would like another day off")
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


def test_an_answer_that_a_killed_server_left_is_written_again(ada: Visitor, app: App) -> None:
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
    expect(answer).to_contain_text("The text above is kept in the record.")
    ada.page.get_by_role("button", name="Write it again").click()
    status(answer, "streaming")
    expect(answer).to_contain_text("(20) ")
    assert answer.inner_text().count("(1) ") == 1, "the old text does not stand before the new"
    status(answer, "complete", within=30)
    expect(answer).to_contain_text("(200) ")
    assert answer.inner_text().count("(1) ") == 1


def test_a_reload_after_the_search_shows_each_step_once(ada: Visitor) -> None:
    answer = ada.ask("How many days of leave can I carry over? Think slowly")
    expect(ada.page.get_by_text("Writing…")).to_be_visible()
    ada.page.reload()
    expect(ada.page.get_by_text("Writing…")).to_be_visible()
    expect(answer.get_by_test_id("reasoning")).to_have_count(1)
    expect(answer.get_by_test_id("tool-card")).to_have_count(1)
    status(answer, "complete")
    expect(answer.get_by_test_id("reasoning")).to_have_count(1)


def test_a_question_that_did_not_get_through_is_sent_again_once(ada: Visitor) -> None:
    status(ada.ask("How many days of leave can I carry over?"), "complete")
    ada.forgive("net::ERR_")
    ada.page.route("**/api/chats", lambda route: route.abort(), times=1)
    ada.page.get_by_test_id("composer").fill("And in the first year?")
    ada.page.keyboard.press("Enter")
    unsent = ada.page.get_by_test_id("unsent")
    expect(unsent).to_contain_text("And in the first year?")
    expect(unsent).to_contain_text("Your question was not sent.")
    ada.page.get_by_role("button", name="Send again").click()
    status(ada.page.get_by_test_id("answer").nth(1), "complete")
    expect(ada.page.get_by_test_id("question")).to_have_count(2)


def test_a_first_question_that_was_not_sent_says_so_and_stays(ada: Visitor) -> None:
    ada.forgive("net::ERR_")
    ada.page.route("**/api/chats/new", lambda route: route.abort(), times=2)
    box = ada.page.get_by_test_id("composer")
    box.fill("How is overtime paid?")
    box.press("Enter")
    expect(ada.page.get_by_role("alert")).to_contain_text("Your question was not sent.")
    expect(box).to_have_value("How is overtime paid?")
    box.fill("")
    ada.page.get_by_role("button", name="How many unused days").click()
    picked = ada.page.get_by_role("alert").filter(has=ada.page.get_by_role("button"))
    expect(picked).to_contain_text("Your question was not sent.")
    picked.get_by_role("button", name="Send again").click()
    status(ada.page.get_by_test_id("answer"), "complete")
