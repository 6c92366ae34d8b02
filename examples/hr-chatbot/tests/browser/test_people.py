"""Who sees what: signing in, one's own chats, and the administrator's page."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import FilePayload, expect

from .visitor import Visitor, status


def test_a_wrong_password_is_refused_in_words(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    visitor.forgive("/api/sign-in")
    visitor.sign_in("ada", "not-it")
    expect(visitor.page.get_by_role("alert")).to_contain_text(
        "The e-mail address or the password is wrong"
    )
    visitor.page.get_by_label("Password").fill("not-it-either")
    expect(visitor.page.get_by_role("alert")).to_have_count(0)


def test_signing_out_leaves_nothing_of_whoever_was_here(visit: Callable[..., Visitor]) -> None:
    ben = visit("ben")
    ben.forgive("401")
    status(ben.ask("What about gifts?"), "complete")
    second = ben.open_tab(f"/{ben.page.evaluate('location.hash')}")
    second.get_by_test_id("answer").wait_for()
    ben.page.get_by_role("button", name="Sign out").click()
    for page in (ben.page, second):
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=5_000)
        expect(page.get_by_label("E-mail")).to_have_value("")
        expect(page.get_by_label("Password")).to_have_value("")
        expect(page).to_have_title("Handbook assistant")
        assert page.evaluate("location.hash") == "#/"


def test_a_link_to_a_chat_leads_there_once_signed_in(visit: Callable[..., Visitor]) -> None:
    ben = visit("ben")
    status(ben.ask("What about lunch?"), "complete")
    link = f"/{ben.page.evaluate('location.hash')}"
    later = visit()
    later.page = later.open_tab(link)
    later.sign_in("ben")
    expect(later.page.get_by_test_id("answer")).to_contain_text("five unused days")


def test_signing_out_ends_it_in_every_tab(visit: Callable[..., Visitor]) -> None:
    ben = visit("ben")
    ben.forgive("401")
    second = ben.open_tab()
    second.get_by_role("button", name="Sign out").click()
    expect(ben.page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=5_000)


def test_one_user_sees_nothing_of_another(visit: Callable[..., Visitor]) -> None:
    ada, ben = visit("ada"), visit("ben")
    status(ada.ask("How many days of leave can Ada carry over?"), "complete")
    address = ada.page.evaluate("location.hash")
    expect(ben.page.get_by_test_id("chat-row").filter(has_text="Ada carry")).to_have_count(0)
    ben.forgive("404")
    other = ben.open_tab(f"/{address}")
    expect(other.get_by_role("heading", name="There is no such chat")).to_be_visible()


def test_chats_are_found_renamed_and_deleted(visit: Callable[..., Visitor]) -> None:
    ben = visit("ben")
    status(ben.ask("How is overtime paid?"), "complete")
    page, rows = ben.page, ben.page.get_by_test_id("chat-row")
    row = rows.filter(has_text="How is overtime paid?")
    row.hover()
    row.get_by_role("button", name="Rename").click()
    page.get_by_label("Name of the chat").fill("Zebra crossing")
    page.keyboard.press("Enter")
    expect(rows.filter(has_text="Zebra crossing")).to_have_count(1)
    page.get_by_label("Search chats").fill("crossing zeb")
    expect(rows).to_have_count(1)
    rows.hover()
    rows.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(rows).to_have_count(0)
    expect(page.get_by_role("heading", name="Good to see you")).to_be_visible()


def test_what_was_said_is_found_beside_the_titles(visit: Callable[..., Visitor]) -> None:
    ben = visit("ben")
    status(ben.ask("How is overtime on a public holiday paid?"), "complete")
    page = ben.page
    page.get_by_label("Search chats").fill("overtime publ")
    found = page.get_by_test_id("found-message").filter(has_text="You: How is")
    expect(found.first.locator("mark").first).to_have_text("overtime")
    found.first.click()
    expect(page.get_by_text("How is overtime on a public holiday paid?").first).to_be_visible()


def test_an_employee_has_no_administration_and_no_upload(ada: Visitor) -> None:
    expect(ada.page.get_by_role("link", name="Administration")).to_have_count(0)
    ada.forgive("404")
    page = ada.open_tab("/administration/")
    expect(page.locator("body")).to_contain_text("There is nothing here")
    page = ada.open_tab("/#/handbook")
    page.get_by_test_id("documents").wait_for()
    expect(page.get_by_test_id("upload")).to_have_count(0)


def test_the_administrator_sees_usage_and_every_message_call_and_request(
    visit: Callable[..., Visitor],
) -> None:
    ben, admin = visit("ben"), visit("admin")
    status(ben.ask("How is overtime on a public holiday paid?"), "complete")
    page = admin.page
    page.get_by_role("link", name="Administration").click()
    expect(page.get_by_role("img", name="Tokens")).to_be_visible()
    groups = page.get_by_role("region", name="Figures by group")
    expect(groups).to_contain_text("gpt-5.2")
    expect(page.locator(".tile", has_text="Cost")).to_contain_text("$")
    admin.picture("administration")
    page.get_by_label("Group by").select_option("user_id")
    expect(groups).to_contain_text("Ben Okafor")
    page.get_by_role("link", name="Chats").click()
    page.get_by_label("Words").fill("overtime on a public holiday")
    page.keyboard.press("Enter")
    found = page.get_by_role("region", name="Chats").get_by_role("link")
    found.first.click()  # the latest: others have asked this, too
    call = page.get_by_role("region", name="Tool call")
    call.locator("summary").click()
    expect(call).to_contain_text("How is overtime on a public holiday paid?")
    expect(call).to_contain_text("public-holidays.md")
    expect(page.locator(".facts")).to_contain_text("Ben Okafor")
    expect(page.locator(".facts")).to_contain_text("$")
    expect(page.locator(".message")).to_have_count(4)
    expect(page.locator(".message.tool")).to_contain_text("similarity")
    expect(page.locator(".timeline li", has_text="gpt-5.2")).to_have_count(2)
    admin.picture("audit-trail")


def test_an_uploaded_document_is_in_the_handbook_and_one_that_is_not_read_says_why(
    visit: Callable[..., Visitor],
) -> None:
    admin = visit("admin")
    admin.forgive("422", "415")
    page = admin.page
    page.get_by_role("link", name="Handbook", exact=True).click()
    chooser = page.get_by_label("Choose a document")
    text = b"# Bicycle leasing\n\n## Terms\n\nA bicycle may be leased for 36 months.\n"
    chooser.set_input_files({"name": "bicycles.md", "mimeType": "text/markdown", "buffer": text})
    expect(page.get_by_text("is in the handbook")).to_be_visible()
    row = (
        page.get_by_test_id("documents").get_by_role("listitem").filter(has_text="Bicycle leasing")
    )
    expect(row).to_contain_text("uploaded")
    broken = {"name": "broken.pdf", "mimeType": "application/pdf", "buffer": b"not a PDF"}
    chooser.set_input_files(broken)
    expect(page.get_by_test_id("upload").get_by_role("alert")).to_be_visible()


def test_an_uploaded_document_is_replaced_and_removed(visit: Callable[..., Visitor]) -> None:
    admin = visit("admin")
    page = admin.page
    page.get_by_role("link", name="Handbook", exact=True).click()
    page.get_by_label("Choose a document").set_input_files(_markdown("goats.md", "Goats", "noon"))
    page.get_by_role("link", name="Goats").click()
    expect(page.get_by_role("article")).to_contain_text("Fed at noon.")
    page.get_by_role("button", name="Replace").click()
    page.get_by_label("Choose a document").set_input_files(_markdown("x.md", "Billy goats", "six"))
    expect(page.get_by_text("was replaced")).to_be_visible()
    expect(page.get_by_role("heading", name="Billy goats")).to_be_visible()
    expect(page.get_by_role("article")).to_contain_text("Fed at six.")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    documents = page.get_by_test_id("documents")
    expect(documents).to_contain_text("Annual leave")
    expect(documents).not_to_contain_text("goats")


def test_a_document_of_the_handbook_and_one_for_an_employee_has_nothing_to_change_it(
    visit: Callable[..., Visitor],
) -> None:
    admin, ben = visit("admin"), visit("ben")
    page = admin.page
    page.get_by_role("link", name="Handbook", exact=True).click()
    page.get_by_label("Choose a document").set_input_files(_markdown("sheep.md", "Sheep", "noon"))
    expect(page.get_by_text("is in the handbook")).to_be_visible()
    for visitor, name, count in ((admin, "sheep", 1), (admin, "travel", 0), (ben, "sheep", 0)):
        tab = visitor.open_tab(f"/#/handbook/{name}.md")
        tab.get_by_role("article").get_by_role("heading", level=2).wait_for()
        expect(tab.get_by_test_id("document-actions")).to_have_count(count)


def _markdown(name: str, title: str, when: str) -> FilePayload:
    text = f"# {title}\n\n## Feeding\n\nFed at {when}.\n"
    return {"name": name, "mimeType": "text/markdown", "buffer": text.encode()}
