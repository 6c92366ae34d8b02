"""`models`: what can be used here, and what is missing for the others."""

from __future__ import annotations

import json

import pytest

from chatrecord.cli.llm import PROVIDERS

from .conftest import Open, Run


def test_the_models_of_a_key_can_be_used(call: Run) -> None:
    lines = [line.split("\t") for line in call("models").stdout.splitlines()]
    usable = {line[0]: line[1] for line in lines}
    assert usable[PROVIDERS["OPENAI_API_KEY"]] == "OPENAI_API_KEY"
    assert all(model.startswith(("openai:", "local")) for model in usable)


def test_all_says_what_is_missing(call: Run) -> None:
    found = {
        model["model"]: model for model in json.loads(call("models", "--all", "--json").stdout)
    }
    assert found.keys() >= {"local", *PROVIDERS.values()}
    assert found["anthropic:claude-sonnet-5-5"]["missing"] == "set ANTHROPIC_API_KEY"
    default = found[PROVIDERS["OPENAI_API_KEY"]]
    assert (default["default"], default["missing"]) == (True, None)
    assert 0 < float(default["input_price"]) < float(default["output_price"])


def test_without_a_key_it_is_the_local_one(call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    found = json.loads(call("models", "--all", "--json").stdout)
    assert [model["model"] for model in found if model["default"]] == ["local"]
    assert all(model["missing"] for model in found if model["model"] != "local")


def test_they_are_searched_by_name(call: Run) -> None:
    assert call("models", "--all", "SONNET-5").stdout.count("\n") == 2
    assert "No model here has 'zzz' in its name" in call("models", "zzz").stderr


def test_a_terminal_gets_a_table_and_the_way_to_the_others(terminal: Open) -> None:
    with terminal("models") as screen:
        assert screen.wait() == 0
    assert "Without --model it is openai:gpt-6.1-terra." in screen.shown
    assert "set ANTHROPIC_API_KEY" in screen.shown
