"""Markdown: rendered on a terminal while it comes, and left as it is everywhere else."""

from __future__ import annotations

import re
from io import StringIO
from random import Random

import pytest
from rich.console import Console

from chatrecord.cli.live_markdown import LiveMarkdown
from providers.answers import says
from providers.server import ProviderServer

from .conftest import MODEL, Open, Run
from .picture import picture

ANSWER = """\
# Trains

Take the **night train**:
- it is `cheap`
- it is slow, and that is said here at some length, so that this line has to be wrapped somewhere

Roses are red
Violets are *blue*

```python
def price(days: int) -> int:
    return 40 * days
```
| from | euros |
|------|------:|
| Graz |  40.5 |

Use <b> and [our site](https://example.com/x).
[1]: https://example.com/source
"""

SHOWN = """\
Trains

Take the night train:

 • it is cheap
 • it is slow, and that is said here at some length, so that this
   line has to be wrapped somewhere

Roses are red
Violets are blue

def price(days: int) -> int:
    return 40 * days

 from  euros
 ───────────
 Graz   40.5

Use <b> and our site (https://example.com/x).
[1]: https://example.com/source
"""


def drawn(pieces: list[str], *, height: int = 60) -> str:
    """What is written for these pieces, on a terminal of 70 columns."""
    file = StringIO()
    console = Console(file=file, force_terminal=True, width=70, height=height, _environ={})
    markdown = LiveMarkdown(console)
    for piece in pieces:
        markdown.write(piece)
    markdown.end()
    return file.getvalue()


def cut(text: str, random: Random) -> list[str]:
    pieces = []
    while text:
        length = random.randint(1, 9)
        pieces.append(text[:length])
        text = text[length:]
    return pieces


@pytest.mark.parametrize("seed", range(10))
def test_however_it_is_cut_the_same_is_shown(seed: int) -> None:
    assert "\n".join(picture(drawn(cut(ANSWER, Random(seed))))) == SHOWN


def test_on_a_low_terminal_nothing_is_lost_that_has_left_the_screen() -> None:
    lines = [f"- line {number}" for number in range(40)]
    raw = drawn(cut("\n".join(lines), Random(1)), height=8)
    assert [line.strip(" •") for line in picture(raw) if line] == [line[2:] for line in lines]
    assert max(int(up or 1) for up in re.findall(r"\x1b\[(\d*)A", raw) or ["0"]) < 8


def test_nothing_is_cleared_before_it_is_written_over() -> None:
    raw = drawn(list("One word after the other, and **all** of them stay."))
    assert "\x1b[2K" not in raw
    assert "\x1b[J" not in raw
    assert picture(raw) == ["One word after the other, and all of them stay.", ""]


def test_in_a_narrower_window_the_block_begins_anew() -> None:
    file = StringIO()
    console = Console(file=file, force_terminal=True, width=70, height=60, _environ={})
    markdown = LiveMarkdown(console)
    markdown.write("Take the night train, it is slow")
    console.width = 20
    markdown.write(" and cheap.")
    markdown.end()
    last = picture(file.getvalue())[-4:]
    assert last == ["Take the night", "train, it is slow", "and cheap.", ""]


def test_an_answer_is_rendered_while_it_comes(terminal: Open, provider: ProviderServer) -> None:
    provider.script(says("Take the **night", " train**, ", "it is `cheap`.", pause=0.4))
    with terminal("chat", "--model", MODEL, "How do I get to Graz?") as screen:
        screen.until("Take the **night")
        assert screen.wait() == 0
    assert "Take the night train, it is cheap." in picture(screen.raw)


def test_a_pipe_gets_the_markdown_itself(run: Run, provider: ProviderServer) -> None:
    provider.script(says("# Trains\n\n", "Take the **night** train.\n"))
    done = run("chat", "--model", MODEL, "How do I get to Graz?")
    assert done.stdout == "# Trains\n\nTake the **night** train.\n"


def test_show_renders_answers_and_leaves_questions_alone(
    terminal: Open, provider: ProviderServer, call: Run
) -> None:
    provider.script(says("It is **40** euros."))
    call("chat", "--model", MODEL, "How much is **it**?")
    chat_id = call("chats").stdout.split("\t")[0]
    with terminal("show", chat_id) as screen:
        assert screen.wait() == 0
    lines = picture(screen.raw)
    assert "How much is **it**?" in lines
    assert "It is 40 euros." in lines
