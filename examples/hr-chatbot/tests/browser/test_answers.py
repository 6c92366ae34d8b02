"""Asking and reading answers, as somebody with a browser does it."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from .visitor import Visitor, status


def test_an_answer_streams_and_is_kept(ada: Visitor) -> None:
    answer = ada.ask("How many days of leave can I carry over?")
    status(answer, "streaming")
    status(answer, "complete")
    ada.page.reload()
    expect(ada.page.get_by_test_id("answer")).to_contain_text("five unused days")


def test_reasoning_and_tool_calls_are_cards_that_open(ada: Visitor) -> None:
    answer = ada.ask("How many days of leave can I carry over?")
    status(answer, "complete")
    answer.get_by_test_id("reasoning").locator("summary").click()
    expect(answer.get_by_text("I search it for the rule")).to_be_visible()
    answer.get_by_test_id("tool-card").locator("summary").click()
    expect(answer.get_by_test_id("search-result").first).to_be_visible()


def test_only_administrators_see_figures_of_the_search_and_arguments(
    visit: Callable[..., Visitor],
) -> None:
    seen = {}
    for name in ("ben", "admin"):
        visitor = visit(name)
        answer = visitor.ask("How many days of leave can I carry over?")
        status(answer, "complete")
        card = answer.get_by_test_id("tool-card")
        card.locator("summary").first.click()
        expect(card.get_by_test_id("search-result").first).to_contain_text("Annual leave")
        seen[name] = card.get_by_text("Arguments").count(), card.get_by_title("Score").count()
    assert seen["ben"] == (0, 0)
    assert seen["admin"][0] == 1 and seen["admin"][1] > 1


def test_a_citation_opens_its_passage_in_its_document(ada: Visitor) -> None:
    answer = ada.ask("How many days of leave can I carry over?")
    status(answer, "complete")
    answer.get_by_test_id("citation").first.click()
    marked = ada.page.get_by_test_id("marked-passage")
    expect(marked).to_be_in_viewport()
    expect(marked).to_contain_text("five unused days")
    ada.picture("citation")
    ada.page.keyboard.press("Escape")
    expect(ada.page.get_by_test_id("source-panel")).to_have_count(0)


def test_something_moves_from_sending_to_the_first_word(ada: Visitor) -> None:
    """Never still for 300 ms, and not between the search and the first word either."""
    box = ada.page.get_by_test_id("composer")
    box.fill("How many days of leave can I carry over? Think slowly")
    ada.page.evaluate(WATCH)
    box.press("Enter")
    answer = ada.page.get_by_test_id("answer")
    answer.locator(".prose").wait_for()
    ada.page.wait_for_function("window.watched.words")
    seen = ada.page.evaluate("window.watched")
    assert seen["still"] < 300, seen
    assert "Writing…" in seen["labels"]
    assert seen["carets"] > 0
    status(answer, "complete")
    expect(ada.page.get_by_test_id("progress")).to_have_count(0)


def test_without_motion_words_and_seconds_tell_that_it_goes_on(ada: Visitor) -> None:
    ada.page.emulate_media(reduced_motion="reduce")
    ada.page.evaluate(WATCH)
    answer = ada.ask("How many days can I carry over? Answer slowly")
    status(answer, "complete")
    seen = ada.page.evaluate("window.watched")
    assert not seen["moved"], "nothing may"
    told = seen["labels"]
    assert {"Thinking…", "Searching the handbook…", "Looking into it…"} & set(told)
    assert any(re.fullmatch(r"\S.*… 1 s", it) for it in told), told
    assert any(it.startswith("Writing…") for it in told), told


WATCH = """() => {
  const watched = (window.watched = { still: 0, moved: false, words: false, labels: [], carets: 0 });
  let moved = performance.now();
  const isMoving = (element) =>
    element.checkVisibility() &&
    element.getAnimations({ subtree: true }).some(
      (it) => it.playState === "running" && it.effect.getTiming().iterations === Infinity,
    );
  const look = () => {
    const progress = [...document.querySelectorAll("[data-testid=progress]")];
    if (progress.some(isMoving)) [moved, watched.moved] = [performance.now(), true];
    watched.still = Math.max(watched.still, performance.now() - moved);
    watched.labels = [...new Set([...watched.labels, ...progress.map((it) => it.innerText.trim())])];
    watched.carets += document.querySelectorAll("[data-testid=progress] .caret").length;
    watched.words = document.querySelector("[data-testid=answer] .prose") !== null;
    if (!watched.words) requestAnimationFrame(look);
  };
  look();
}"""


def test_stop_ends_the_answer_on_the_server_and_keeps_its_text(ada: Visitor) -> None:
    answer = ada.ask("Give me a long answer")
    expect(answer).to_contain_text("(10) ")
    ada.page.get_by_role("button", name="Stop").click()
    status(answer, "interrupted")
    text = answer.locator(".prose")
    kept = text.inner_text()
    ada.page.reload()
    expect(text).to_have_text(kept)
    assert "(10) " in kept
    assert "(200) " not in kept


def test_a_stop_is_reported_as_a_stop_and_not_as_an_interruption(ada: Visitor) -> None:
    answer = ada.ask("Give me a long answer")
    expect(answer).to_contain_text("(5) ")
    ada.page.get_by_role("button", name="Stop").click()
    for _ in range(2):
        expect(answer.get_by_test_id("stopped")).to_have_text("You stopped this answer.")
        expect(answer.get_by_test_id("interrupted")).to_have_count(0)
        expect(ada.page.get_by_role("button", name="Write it again")).to_have_count(0)
        ada.page.reload()


def test_an_answer_is_regenerated(ada: Visitor) -> None:
    answer = ada.ask("How many days of leave can I carry over?")
    status(answer, "complete")
    ada.page.get_by_role("button", name="Answer again").click()
    status(answer, "streaming")
    status(answer, "complete")
    expect(ada.page.get_by_test_id("answer")).to_have_count(1)


def test_an_edited_question_takes_the_place_of_the_old_one(ada: Visitor) -> None:
    status(ada.ask("How many days of leave can I carry over?"), "complete")
    ada.page.get_by_test_id("question").hover()
    ada.page.get_by_role("button", name="Edit question").click()
    ada.page.get_by_label("Question", exact=True).fill("And what about part-time staff?")
    ada.page.get_by_role("button", name="Ask again").click()
    expect(ada.page.get_by_test_id("question")).to_have_text("And what about part-time staff?")
    status(ada.page.get_by_test_id("answer"), "complete")
    ada.page.reload()
    expect(ada.page.get_by_test_id("question")).to_have_text("And what about part-time staff?")


def test_a_failure_of_the_provider_keeps_the_text_and_tells_no_secrets(ada: Visitor) -> None:
    answer = ada.ask("Are you overloaded?")
    status(answer, "failed")
    expect(answer).to_contain_text("This is only")
    notice = answer.get_by_role("alert")
    expect(notice).to_contain_text("The model could not answer.")
    expect(notice).to_contain_text("The text above is kept in the record.")
    expect(notice.get_by_role("button", name="Write it again")).to_be_enabled()
    assert "529" not in ada.page.locator("main").inner_text()


def test_html_scripts_and_pictures_in_an_answer_do_nothing(ada: Visitor) -> None:
    asked_for: list[str] = []
    ada.page.on("request", lambda request: asked_for.append(request.url))
    answer = ada.ask("Say something hostile")
    status(answer, "complete")
    expect(answer).to_contain_text("<script>")
    assert ada.page.evaluate("window.broken") is None
    assert answer.get_by_role("link").count() == 0
    assert not [url for url in asked_for if "tracker.invalid" in url]


def test_time_off_is_booked_once_it_is_approved(ada: Visitor) -> None:
    answer = ada.ask("I would like a day off")
    approval = answer.get_by_test_id("approval")
    expect(approval).to_contain_text("a long weekend")
    ada.picture("approval")
    approval.get_by_role("button", name="Approve").click()
    expect(answer).to_contain_text("Your day off is booked.")
    status(answer, "complete")
    ada.page.get_by_test_id("new-chat").click()
    expect(ada.page.get_by_test_id("vacation")).to_contain_text("1 booked")


def test_nothing_is_asked_while_a_request_waits_for_approval(ada: Visitor) -> None:
    answer = ada.ask("I would like another day off")
    answer.get_by_test_id("approval").wait_for()
    box = ada.page.get_by_test_id("composer")
    for _ in range(2):
        expect(box).to_be_disabled()
        expect(box).to_have_accessible_description("Approve or deny the request above first.")
        ada.page.reload()
    answer.get_by_role("button", name="Deny").click()
    expect(answer).to_contain_text("nothing was booked")
    expect(box).to_be_enabled()
    expect(box).to_be_focused()


def test_time_off_that_is_denied_is_not_booked(ada: Visitor) -> None:
    answer = ada.ask("I would like another day off")
    answer.get_by_label("Reason for denying").fill("Not that week")
    answer.get_by_role("button", name="Deny").click()
    expect(answer).to_contain_text("nothing was booked")
    ada.page.reload()
    expect(answer.get_by_test_id("tool-card")).to_contain_text("Denied")


def test_a_link_says_where_it_leads_and_nothing_is_fetched_before_a_click(ada: Visitor) -> None:
    asked_for: list[str] = []
    ada.page.on("request", lambda request: asked_for.append(request.url))
    answer = ada.ask("Give me a link")
    status(answer, "complete")
    rules = answer.get_by_role("link", name="the rules")
    expect(rules).to_have_text("the rules (tracker.invalid)")
    expect(rules).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(rules).to_have_attribute("title", "https://tracker.invalid/secret?days=5")
    expect(answer.get_by_role("link", name="ask")).to_have_text("ask (hr@tracker.invalid)")
    whole = answer.get_by_role("link", name="people@larkfield.example")
    expect(whole).to_have_text("people@larkfield.example")
    more = answer.get_by_role("link", name="me@safe.invalid")
    expect(more).to_have_text("me@safe.invalid (me@safe.invalid)")
    rules.hover()
    assert not [url for url in asked_for if "tracker.invalid" in url]


def test_the_browser_itself_refuses_what_would_carry_data_out(ada: Visitor) -> None:
    """Were there a fault in the page: its policy has no exception for pictures, styles or frames."""
    ada.forgive("Content Security Policy", "tracker.invalid")
    sent: list[str] = []
    ada.page.on("response", lambda response: sent.append(response.url))
    blocked = ada.page.evaluate(
        """async () => {
          const seen = [];
          document.addEventListener("securitypolicyviolation", (it) => seen.push(it.effectiveDirective));
          new Image().src = "https://tracker.invalid/picture";
          document.body.insertAdjacentHTML("beforeend",
            `<iframe src="https://tracker.invalid/frame"></iframe>
             <link rel="stylesheet" href="https://tracker.invalid/style">
             <style>body { color: red }</style>`);
          await fetch("https://tracker.invalid/fetch").catch(() => 0);
          await new Promise((after) => setTimeout(after, 500));
          return seen;
        }"""
    )
    assert {"img-src", "frame-src", "style-src-elem", "connect-src"} <= set(blocked)
    assert not [url for url in sent if "tracker.invalid" in url]
