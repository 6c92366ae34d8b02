"""`--approve`: the person at the terminal decides about each call of a tool."""

from __future__ import annotations

from pathlib import Path

import pytest

from providers.answers import Answer, Call, says
from providers.server import ProviderServer

from .conftest import MODEL, Open, Run
from .rows import rows
from .terminal import CTRL_C

PAYS = Answer(calls=(Call("call-1", "pay", {"euros": 40}),))


@pytest.fixture
def till(tmp_path: Path) -> Path:
    """A file that the tool writes when it runs."""
    (tmp_path / "tools.py").write_text(
        "from pathlib import Path\n\n\n"
        "def pay(euros: int) -> str:\n"
        "    '''Pay.'''\n"
        "    Path('till').write_text(str(euros))\n"
        "    return 'paid'\n"
    )
    return tmp_path / "till"


def statuses(database: Path) -> list[tuple[str, ...]]:
    return rows(database, "SELECT status FROM llm_tool_calls")


def test_yes_runs_the_call(
    terminal: Open, provider: ProviderServer, till: Path, database: Path
) -> None:
    provider.script(PAYS, says("It is paid."))
    with terminal("-m", MODEL, "--tools", "tools.py", "--approve", "Pay 40 euros") as screen:
        screen.until("Call pay(euros=40)? [y/N]")
        assert not till.exists()
        screen.type("y")
        screen.until("It is paid.")
        assert screen.wait() == 0
    assert till.read_text() == "40"
    assert statuses(database) == [("complete",)]


@pytest.mark.parametrize("keys", [b"\r", b"n\r", CTRL_C])
def test_anything_else_does_not_and_the_llm_is_told(
    terminal: Open, provider: ProviderServer, till: Path, database: Path, keys: bytes
) -> None:
    provider.script(PAYS, says("Then not."))
    with terminal("-m", MODEL, "--tools", "tools.py", "--approve", "Pay 40 euros") as screen:
        screen.until("[y/N]")
        screen.press(keys)
        screen.until("Then not.")
        assert screen.wait() == 0
    assert not till.exists()
    assert statuses(database) == [("denied",)]
    assert provider.received[1].said()[-1].text == "The user does not want this call."


def test_where_nobody_can_be_asked_it_says_so(run: Run, till: Path, database: Path) -> None:
    done = run("-m", MODEL, "--tools", "tools.py", "--approve", "Pay 40 euros")
    assert (done.returncode, done.stdout) == (1, "")
    assert "omit --approve" in done.stderr
    assert not database.exists()
