"""`--tools FILE.py`: the public functions of a file are tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from providers.answers import Answer, Call, says
from providers.server import ProviderServer

from .conftest import MODEL, Open, Run
from .rows import rows
from .terminal import CTRL_D

TOOLS = '''\
from __future__ import annotations

from datetime import date

from places import COUNTRY


def weather(city: str, day: date | None = None) -> str:
    """The weather in a city."""
    return f"sunny in {city}, {COUNTRY}"


async def double(number: int) -> int:
    """Twice a number."""
    return 2 * number


def _secret() -> None: ...
'''


@pytest.fixture
def file(tmp_path: Path) -> str:
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / "places.py").write_text("COUNTRY = 'Austria'\n\n\ndef imported() -> None: ...\n")
    (folder / "tools.py").write_text(TOOLS)
    return "lib/tools.py"


def calls(name: str, **arguments: object) -> Answer:
    return Answer(calls=(Call(f"call-{name}", name, arguments),))


def test_they_are_offered_run_and_recorded(
    call: Run, provider: ProviderServer, database: Path, file: str
) -> None:
    provider.script(calls("weather", city="Graz"), calls("double", number=21), says("Sunny, 42."))
    done = call("chat", "-m", MODEL, "--tools", file, "What is the weather?")
    assert done.stdout == "Sunny, 42.\n"
    assert '⚙ weather(city="Graz")' in done.stderr
    assert '→ "sunny in Graz, Austria"' in done.stderr
    offered = [tool["function"]["name"] for tool in provider.received[0].body["tools"]]
    assert offered == ["weather", "double"]
    assert rows(database, "SELECT name, status FROM llm_tool_calls ORDER BY started_at") == [
        ("weather", "complete"),
        ("double", "complete"),
    ]


def test_a_talk_names_them_and_how_to_have_them_again(
    terminal: Open, provider: ProviderServer, file: str
) -> None:
    provider.script(says("Hello!"))
    with terminal("chat", "-m", MODEL, "--tools", file) as screen:
        screen.until("tools: weather, double")
        screen.prompt()
        screen.type("Hi")
        screen.until("Hello!")
        screen.prompt()
        screen.press(CTRL_D)
        screen.until(f"--tools {file}")
        assert screen.wait() == 0


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def f(:", "tools.py cannot be run: SyntaxError: "),
        ("x = 1\ny = x / 0\n", "tools.py cannot be run: ZeroDivisionError: division by zero (line 2)"),
        ("import json\nx = 1\n", "tools.py defines no public function"),
        ("class X: ...\ndef f(x: X) -> int:\n    'F.'\n", "tools= contains a tool whose schema cannot be built"),
        ("from __future__ import annotations\ndef f(x: Nowhere) -> int:\n    'F.'\n", "schema cannot be built"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_reported_in_one_line(
    call: Run, tmp_path: Path, source: str, told: str
) -> None:
    (tmp_path / "tools.py").write_text(source)
    done = call("chat", "-m", MODEL, "--tools", "tools.py", "What is the weather?")
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("file", "told"),
    [("none.py", "There is no file none.py"), ("a.txt", "a.txt is no Python file")],
)
def test_what_is_no_python_file_is_refused(call: Run, tmp_path: Path, file: str, told: str) -> None:
    (tmp_path / "a.txt").touch()
    assert told in call("chat", "-m", MODEL, "--tools", file, "What?").stderr
