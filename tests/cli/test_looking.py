"""`chats` and `show`: what is stored, as people and pipes read it."""

from __future__ import annotations

import asyncio
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from chatrecord.cli import main
from chatrecord.errors import RunError
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import script as scripted
from chatrecord.testing.script import Script


def weather(city: str) -> dict[str, object]:
    """The weather in a city."""
    return {"city": city, "degrees": 21}


async def fill(file: Path) -> list[str]:
    """One chat of each of two users; returns their ids."""
    async with Database(f"sqlite:///{file}") as db:
        await db.create_tables()
        asked = Script(
            [scripted.think("Better look."), scripted.call("weather", "call-1", city="Graz")],
            [scripted.say("21 degrees.")],
            [scripted.say("Well, "), scripted.fail(RuntimeError("the line went dead"))],
        )
        chat = await create_chat(
            db,
            asked,
            user_id="ann",
            title="The weather",
            instructions="Look first.",
            tools=[weather],
        )
        await chat.ask("How warm is it in Graz?")
        with pytest.raises(RunError):
            await chat.ask("And in Linz?")
        other = await create_chat(
            db, Script([scripted.say("[bold]Hi")]), user_id="bob", title="A [red]greeting"
        )
        await other.ask("Hi")
        return [str(chat.id), str(other.id)]


@pytest.fixture
def ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHATRECORD_DB", "kept.db")
    return asyncio.run(fill(tmp_path / "kept.db"))


def test_chats_are_listed_newest_first_as_fields_for_a_pipe(
    ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["chats"]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [(line[0], line[3]) for line in lines] == [
        (ids[1], "A [red]greeting"),
        (ids[0], "The weather"),
    ]


def test_chats_of_one_user_alone(ids: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chats", "--user", "ann"]) == 0
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == ids[:1]


def test_show_tells_everything_of_a_chat(
    ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", ids[0]]) == 0
    shown = capsys.readouterr().out
    for told in (
        "The weather", ids[0], "instructions: Look first.",
        "user\nHow warm is it in Graz?",
        "Better look.", '⚙ weather(city="Graz")', '→ {"city": "Graz", "degrees": 21} (',
        "assistant\n21 degrees.",
        "assistant · failed\nWell, ",
        "#3 RuntimeError: the line went dead",
        "6 messages", "1 tool call · 3 requests", "cost unknown",
    ):  # fmt: skip
        assert told in shown


def test_what_people_and_models_say_is_not_markup(
    ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", ids[1]]) == 0
    shown = capsys.readouterr().out
    assert "A [red]greeting" in shown
    assert "[bold]Hi" in shown


def test_the_beginning_of_an_id_is_enough(
    ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    different = next(place for place in range(36) if ids[0][place] != ids[1][place])
    assert main(["show", ids[1][: different + 1].upper()]) == 0
    assert ids[1] in capsys.readouterr().out


def test_an_id_that_could_be_two_asks_for_more(
    ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", ids[0][:2]]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"chatrecord: 2 chats begin with {ids[0][:2]}: say more of the id")
    assert all(chat_id in told for chat_id in ids)


@pytest.mark.parametrize(
    "arguments",
    [["show", "nothing"], ["show", "--user", "bob", "{0}"], ["chat", "--chat", "nothing", "Hi"]],
)
def test_a_chat_that_is_not_there_is_one_line_with_the_way_out(
    ids: list[str], capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main([argument.format(*ids) for argument in arguments]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("chatrecord: There is no chat ")
    assert told.err.endswith("chatrecord chats\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "--db", "none.db", "0"], "There is no none.db yet: start a chat with chatrecord chat"),
        (["chats", "--db", "foo://bar"], "SQLAlchemy knows no database 'foo'"),
        (["chat", "--db", "no/such/folder.db", "Hi"], "Cannot open the database no/such/folder.db: unable to open"),
        (["chat", "--db", "postgresql://u:secret@127.0.0.1:1/x", "Hi"], "Cannot open the database postgresql://u:***@127.0.0.1:1/x: "),
        (["chat", "--model", "nobody:nothing", "Hi"], "The model 'nobody:nothing' cannot be used: "),
    ],
)  # fmt: skip
def test_what_cannot_work_is_reported_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"chatrecord: {told}")
    assert err.count("\n") == 1


def test_looking_makes_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHATRECORD_DB", raising=False)
    assert main(["show", "0"]) == 1
    assert [main(["chats"]), main(["usage"])] == [0, 0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["chats", "usage"])
def test_before_the_first_chat_a_list_is_empty_and_says_how_to_begin(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([command, "--db", "none.db"]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "There is no none.db yet: start a chat with chatrecord chat\n"
    assert main([command, "--db", "none.db", "--json"]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("[]\n", "")


def test_the_last_chat_of_an_empty_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["chat", "--last", "Hi"]) == 1
    assert (
        capsys.readouterr().err
        == "chatrecord: There are no chats here yet: start one with chatrecord chat\n"
    )


def test_usage_is_added_up_as_fields_for_a_pipe(
    ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["usage", "--by", "model,user_id"]) == 0
    head, *lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert head[:4] == ["model", "user_id", "requests", "failed"]
    assert [line[:4] for line in lines] == [
        ["script", "ann", "3", "33%"],
        ["script", "bob", "1", "0"],
    ]

    assert main(["usage", "--user", "bob", "--by", "day"]) == 0
    _, line = capsys.readouterr().out.splitlines()
    assert line.split("\t")[1] == "1"

    assert main(["usage", "--by", "kind"]) == 0
    _, line = capsys.readouterr().out.splitlines()
    assert line.split("\t")[:2] == ["answer", "4"]

    assert main(["usage", "--until", "2020-01-01"]) == 0
    assert "Nothing was asked" in capsys.readouterr().err


def test_usage_says_what_it_can_group_by(
    ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["usage", "--by", "mood"]) == 1
    assert "knows no 'mood'. There are: hour, day, month" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["usage", "--since", "yesterday"])
    assert "is not a day" in capsys.readouterr().err


def test_a_chat_is_moved_through_a_file_into_another_database(
    ids: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["export", ids[0], "--user", "ann"]) == 0
    lines = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(lines.encode())))

    assert main(["import", "--db", "other.db", "--user", "eve"]) == 0

    assert capsys.readouterr().out == f"{ids[0]}\n"
    assert main(["export", ids[0], "--db", "other.db"]) == 0
    assert capsys.readouterr().out == lines.replace('"user_id":"ann"', '"user_id":"eve"')


def test_an_import_that_cannot_be_read_says_which_line(
    ids: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"\xff\n")))

    assert main(["import"]) == 1
    assert capsys.readouterr().err.startswith("chatrecord: Line 1 is no JSON")

    assert main(["export", ids[0], "--user", "bob"]) == 1
    assert "There is no chat" in capsys.readouterr().err


def test_chats_are_searched_by_title(ids: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chats", "--search", "WEATHER"]) == 0
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == ids[:1]
    assert main(["chats", "--search", "nowhere"]) == 0
    assert "'nowhere'" in capsys.readouterr().err
    assert main(["chats", "--search", " "]) == 1
    assert "leave it out" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["chats"],
        ["show", "0"],
        ["export", "0"],
        ["usage"],
        ["purge", "--older-than", "1d", "--yes"],
    ],
)
def test_an_unknown_user_is_reported_in_one_line(
    ids: list[str], capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert ids
    assert main([*command, "--user", "x" * 256]) != 0

    assert capsys.readouterr().err == "chatrecord: --user takes at most 255 characters\n"
