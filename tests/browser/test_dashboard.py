"""What administrators see and do in the dashboard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import Visit

SHIFTS = """() => new Promise((done) => {
  let total = 0;
  new PerformanceObserver((list) => {
    for (const shift of list.getEntries()) if (!shift.hadRecentInput) total += shift.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(total), 100);
})"""
ADDRESSES = [
    "#/usage",
    "#/requests",
    "#/chats",
    "#/feedback",
    "#/chats/{trace}",
    "#/chats/{approval}",
]


def test_usage_is_shown_as_charts_with_values_and_as_tables(visit: Callable[..., Visit]) -> None:
    page = visit().open()
    cost = page.locator("figure", has=page.get_by_role("heading", name="Cost"))
    assert cost.locator("rect.bar").count() > 20
    assert page.locator(".line.series-0").count() == 2  # latency and first token

    cost.locator("svg").hover(position={"x": 300, "y": 90})
    told = cost.get_by_role("status").inner_text()
    assert re.search(r"\d+ \w+\s+Cost \$\d", told)
    cost.locator("svg").focus()
    page.keyboard.press("End")
    last = cost.get_by_role("status").inner_text()
    page.keyboard.press("ArrowLeft")
    assert cost.get_by_role("status").inner_text() != last

    before = cost.bounding_box()
    cost.get_by_role("button", name="Table").click()
    assert cost.locator("tbody tr").count() >= 30
    assert cost.bounding_box() == before
    assert last.splitlines()[0] in cost.locator("tbody").inner_text()


def test_figures_are_grouped_and_lead_to_chats(visit: Callable[..., Visit]) -> None:
    page = visit().open()
    page.get_by_label("Group by").select_option("user_id")
    page.get_by_role("link", name="Ann Ashe").wait_for()
    page.get_by_role("button", name="Requests").click()
    assert "Requests" in page.locator("th[aria-sort]").inner_text()
    page.get_by_role("link", name="Ann Ashe").click()
    page.get_by_role("heading", name="Chats").wait_for()
    page.get_by_role("link", name="Visa for Brazil").wait_for()
    assert page.get_by_role("link", name="A room in Lisbon").count() == 0


def test_ratings_are_shown_and_lead_to_what_was_said_of_an_answer(
    visit: Callable[..., Visit],
) -> None:
    page = visit().open("#/usage?by=user_id")
    ratings = page.locator("figure", has=page.get_by_role("heading", name="Ratings"))
    ratings.get_by_role("button", name="Table").click()
    assert "Positive" in ratings.locator("thead").inner_text()
    assert page.get_by_role("region", name="Negative feedback").locator("li").count() == 4
    row = page.locator("table.groups tbody tr", has=page.get_by_role("link", name="chandra"))
    good, bad = row.locator("td").all_inner_texts()[-2:]
    assert re.fullmatch(r"\d+ % of \d+", good)

    row.get_by_role("link", name=bad, exact=True).click()
    page.get_by_role("heading", name="Feedback").wait_for()
    page.locator("table.rated tbody tr").first.wait_for()
    assert page.locator("table.rated tbody tr").count() == int(bad)
    assert set(page.locator("table.rated td:nth-child(5)").all_inner_texts()) == {"chandra"}
    page.get_by_text("Too long: I wanted a yes or a no").first.wait_for()
    page.locator("table.rated a").first.click()
    page.get_by_text("The handbook says so.").wait_for()
    page.get_by_text("Rated bad (-1)").first.wait_for()
    page.go_back()
    page.get_by_label("Rating").select_option("positive")
    page.get_by_text("Rated good (1)").first.wait_for()


def test_requests_are_grouped_by_what_they_were_for(visit: Callable[..., Visit]) -> None:
    page = visit().open()
    page.get_by_label("Group by").select_option("kind")
    page.locator("table.groups").get_by_text("Titles").wait_for()
    assert page.locator("table.groups tbody th").all_inner_texts() == ["Answers", "Titles"]


def test_failed_requests_say_why(visit: Callable[..., Visit]) -> None:
    page = visit().open("#/requests")
    page.get_by_label("Status").select_option("failed")
    page.get_by_text("HTTP 429").first.wait_for()
    assert "Rate limit reached" in page.locator(".why").first.inner_text()
    assert set(page.locator("td .badge").all_inner_texts()) == {"failed"}


def test_a_chat_is_found_by_its_tool_and_shown_as_a_trace(visit: Callable[..., Visit]) -> None:
    page = visit().open("#/chats")
    page.get_by_label("Tool called").fill("search_handbook")
    page.keyboard.press("Enter")
    page.locator("tbody tr").nth(1).wait_for(state="detached")
    page.get_by_role("link", name="Travel policy for contractors").click()
    page.get_by_role("heading", name="Travel policy for contractors").wait_for()

    reasoning = page.locator(".reasoning").get_by_text("I should search it before I answer")
    assert not reasoning.is_visible()
    page.get_by_text("Reasoning", exact=True).click()
    assert reasoning.is_visible()
    call = page.get_by_role("region", name="Tool call search_handbook")
    call.locator("summary").click()
    assert '"score": 0.88' in call.inner_text()
    assert page.locator(".timeline li").count() == 3
    assert "first token 620 ms" in page.locator(".timeline").inner_text()
    page.get_by_text("What was sent").click()
    assert "You are the travel desk" in page.locator(".run").inner_text()


def test_words_are_found_in_what_was_said(visit: Callable[..., Visit]) -> None:
    page = visit().open("#/chats")
    page.get_by_label("Words").fill("breakfast included")
    page.keyboard.press("Enter")
    said = page.get_by_role("region", name="In what was said")
    said.locator("mark").nth(1).wait_for()
    assert said.locator("mark").all_inner_texts() == ["breakfast", "included"]
    said.get_by_role("link").click()
    page.locator(".message", has_text="breakfast included").wait_for()
    assert "Just what I needed" in page.locator(".feedback").inner_text()


def test_approvals_and_superseded_answers_are_marked(visit: Callable[..., Visit]) -> None:
    seen = visit()
    chats = seen.served.chats
    page = seen.open(f"#/chats/{chats['approval']}")
    assert page.locator(".call .badge").inner_text() == "awaiting approval"
    page = seen.open(f"#/chats/{chats['superseded']}")
    page.get_by_role("heading", name="Train or plane?").wait_for()
    assert "superseded" in page.locator(".message .badge").all_inner_texts()


def test_what_chats_contain_stays_text(visit: Callable[..., Visit]) -> None:
    seen = visit()
    for address in ("#/chats", f"#/chats/{seen.served.chats['markup']}"):
        page = seen.open(address)
        page.get_by_text("<img src=x").first.wait_for()
        assert page.locator("main img, main script").count() == 0
        assert page.title() == "Chats"


def test_a_live_answer_is_shown_while_it_streams(visit: Callable[..., Visit]) -> None:
    seen = visit()
    chat = httpx.post(f"{seen.served.origin}/talk").json()["id"]
    page = seen.page
    page.goto(f"{seen.served.dashboard}#/chats/{chat}")
    live = page.get_by_role("region", name="The answer as it streams")
    live.get_by_text("word3").wait_for()
    assert "word39" not in live.inner_text()
    page.locator(".message.assistant", has_text="word39").wait_for()
    assert live.count() == 0


def test_a_chat_is_exported(visit: Callable[..., Visit], tmp_path: Path) -> None:
    seen = visit()
    page = seen.open(f"#/chats/{seen.served.chats['trace']}")
    with page.expect_download() as started:
        page.get_by_role("link", name="Export").click()
    started.value.save_as(tmp_path / "chat.jsonl")
    lines = (tmp_path / "chat.jsonl").read_text().splitlines()
    assert json.loads(lines[1])["title"] == "Travel policy for contractors"


def test_a_scope_is_told_and_kept(visit: Callable[..., Visit]) -> None:
    seen = visit("ann")
    page = seen.open("#/chats")
    page.get_by_text("user_id: ann").wait_for()
    assert set(page.locator("tbody td:nth-child(2)").all_inner_texts()) == {"Ann Ashe"}


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_is_wider_than_the_screen_or_moves_as_it_loads(
    visit: Callable[..., Visit], width: int
) -> None:
    for address in ADDRESSES:
        seen = visit(width=width)
        page = seen.open(address.format(**seen.served.chats))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert page.evaluate(SHIFTS) < 0.1, address


def test_everything_has_a_name_and_is_reached_by_keyboard(visit: Callable[..., Visit]) -> None:
    seen = visit()
    for address in ADDRESSES:
        page = seen.open(address.format(**seen.served.chats))
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("input, select, button, a[href]")]
              .filter((it) => !(it.labels?.length || it.textContent.trim() || it.ariaLabel))
              .map((it) => it.outerHTML)"""
        )
        assert nameless == []
        assert page.locator("h1").count() == 1
        assert page.locator("nav a[aria-current=page]").count() == 1
    page.goto(seen.served.dashboard)
    page.locator("h1").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "view"


def test_what_cannot_be_loaded_is_told_in_words_and_tried_again(
    visit: Callable[..., Visit],
) -> None:
    seen = visit()
    page = seen.page
    page.route("**/api/chats?*", lambda route: route.abort())
    page.goto(f"{seen.served.dashboard}#/chats")
    page.get_by_role("alert").get_by_text("cannot be reached").wait_for()
    page.unroute("**/api/chats?*")
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("link", name="Visa for Brazil").wait_for()
    seen.complaints.clear()  # the browser has told of the request that was cut off
    page.goto(f"{seen.served.dashboard}#/chats/nonsense")
    page.get_by_role("alert").get_by_text("There is no such chat").wait_for()
    seen.complaints.clear()


def test_something_is_shown_at_once_while_the_server_takes_its_time(
    visit: Callable[..., Visit],
) -> None:
    seen = visit()
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    seen.page.route("**/api/usage?*", hold)
    seen.page.goto(seen.served.dashboard)
    seen.page.locator(".skeleton").first.wait_for(timeout=5000)
    assert seen.page.get_by_role("heading", name="Usage").is_visible()
    for route in held:
        route.abort()
    seen.complaints.clear()
