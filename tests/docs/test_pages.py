"""What the pages name is there: commands, scripts, extras, links, errors, options, defaults."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from chatrecord import Limits, Window, errors
from chatrecord.chats.options import OPTION_NAMES
from chatrecord.cli import main
from chatrecord.runs.follower import POLL_SECONDS
from chatrecord.runs.journal import IDLE_FLUSH_SECONDS
from chatrecord.store.times import DATABASE_TIMEOUT, LEASE

from .pages import PAGES, ROOT, blocks, name_of

SHELL = [block for page in PAGES for block in blocks(page, "console", "bash", "sh")]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ALL_TEXT = "\n".join(page.read_text("utf-8") for page in (*PAGES, ROOT / "CHANGELOG.md"))


def test_every_command_shown_exists(capsys: pytest.CaptureFixture[str]) -> None:
    shown = set(re.findall(r"\bchatrecord ([a-z]+(?:-[a-z]+)*)\b", "\n".join(shell_words())))
    assert shown
    for command in shown:
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0, capsys.readouterr().err


def shell_words() -> list[str]:
    """The shell blocks, and the commands that stand in running text."""
    return [block.source for block in SHELL] + re.findall(r"`(chatrecord [^`]+)`", ALL_TEXT)


def test_every_script_shown_can_be_run() -> None:
    scripts = set(
        re.findall(r"^\./(\w+)", "\n".join(block.source for block in SHELL), re.MULTILINE)
    )
    assert scripts == {"chat", "check"}
    assert all((ROOT / script).stat().st_mode & 0o111 for script in scripts)


def test_every_extra_shown_is_there() -> None:
    extras = PROJECT["optional-dependencies"]
    shown = re.findall(r"chatrecord\[([\w,]+)\]", ALL_TEXT)
    assert {name for names in shown for name in names.split(",")} <= extras.keys()
    readme = (ROOT / "README.md").read_text("utf-8")
    assert all(f"`{extra}`" in readme for extra in extras)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_error_is_explained() -> None:
    told = "".join(
        (ROOT / "docs" / "how-to" / f"{name}.md").read_text("utf-8")
        for name in ("errors", "limits")
    )
    raised = [name for name, it in vars(errors).items() if isinstance(it, type)]
    assert [name for name in raised if f"`{name}`" not in told] == []


def test_every_guarantee_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "guarantees.md").read_text("utf-8")
    promised = page.partition("## What is not promised yet")[0]
    guarantees = re.split(r"^\d+\. ", promised, flags=re.MULTILINE)[1:]
    named = [set(re.findall(r"`(test_\w+)`", guarantee)) for guarantee in guarantees]
    folders = (ROOT / "tests", ROOT / "src/chatrecord/testing")
    sources = [source for folder in folders for source in folder.rglob("*.py")]
    there = "\n".join(source.read_text("utf-8") for source in sources)
    assert all(named), "a guarantee without a test"
    assert set.union(*named) <= set(re.findall(r"\bdef (test_\w+)\(", there))


def test_every_option_is_explained() -> None:
    assert [name for name in OPTION_NAMES if not re.search(rf"\b{name}=", ALL_TEXT)] == []


def test_the_default_limits_are_as_documented() -> None:
    page = (ROOT / "docs" / "how-to" / "limits.md").read_text("utf-8")
    found = re.findall(r"^\| `(\w+)` \| [^|]+ \| (\S+) \|", page, re.MULTILINE)
    told = {name: default.replace(",", "") for name, default in found}
    defaults = {name: getattr(Limits(), name) for name in Limits.__dataclass_fields__}
    assert told == {name: "none" if it is None else str(it) for name, it in defaults.items()}


def test_the_waiting_times_are_as_documented() -> None:
    page = (ROOT / "docs" / "how-to" / "several-processes.md").read_text("utf-8")
    assert f"The default is {LEASE.total_seconds():.0f} seconds" in page
    assert f"every {POLL_SECONDS * 1000:.0f} milliseconds" in page
    assert (IDLE_FLUSH_SECONDS, DATABASE_TIMEOUT.total_seconds()) == (0.25, 10), (
        "a quarter of a second, ten seconds"
    )


def test_the_default_window_is_as_documented() -> None:
    page = (ROOT / "docs" / "how-to" / "context-window.md").read_text("utf-8")
    assert f"The default is {Window().messages} messages and {Window().tokens:,} tokens" in page


def test_code_is_within_the_first_thirty_lines() -> None:
    first = next(blocks(ROOT / "README.md", "python"))
    assert first.line < 30
