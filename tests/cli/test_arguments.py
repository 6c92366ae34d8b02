"""What can be typed, and how quickly the command answers."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

from chatrecord.cli import main
from chatrecord.cli.llm import LOCAL, PROVIDERS, model_of_environment
from chatrecord.spending.pricing import LIST_PRICES


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"{version('chatrecord')}\n"


def test_alone_it_says_what_it_can(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    told = capsys.readouterr().out
    assert all(command in told for command in ("chat ", "chats ", "show ", "setup-local"))


@pytest.mark.parametrize("which", [["--last"], ["--chat", "0"]])
def test_instructions_are_for_new_chats(
    which: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["chat", "--instructions", "Be brief.", *which, "Hi"])
    assert ended.value.code == 2
    assert "--instructions belong to a new chat" in capsys.readouterr().err


def test_help_loads_neither_an_llm_library_nor_a_terminal_library() -> None:
    slow = "{'pydantic_ai', 'openai', 'rich'} & set(sys.modules)"
    code = f"import atexit, sys, chatrecord.cli; atexit.register(lambda: print({slow})); chatrecord.cli.main(['--help'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")


@pytest.mark.parametrize("key", PROVIDERS)
def test_a_key_chooses_its_provider(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in PROVIDERS:
        monkeypatch.delenv(other, raising=False)
    assert model_of_environment() == LOCAL
    monkeypatch.setenv(key, "k")
    assert model_of_environment() == PROVIDERS[key]


@pytest.mark.parametrize("model", sorted(set(PROVIDERS.values())))
def test_the_model_behind_a_key_exists_and_has_a_price(model: str) -> None:
    provider, _, name = model.partition(":")
    assert LIST_PRICES.cost_of_input(1000, model=name, provider=provider)
