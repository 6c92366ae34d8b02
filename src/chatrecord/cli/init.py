"""`chatrecord init`: a project to begin with."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path

from chatrecord.errors import ConfigurationError

from .scaffold.choices import TABLES, WEB
from .scaffold.project import Project


def run(arguments: Namespace) -> int:
    """Write the project, and say how it is started."""
    web = arguments.web or _asked("Which web framework?", "--web", WEB)
    tables = arguments.tables or _asked("Which tables?", "--tables", TABLES)
    folder = Path(arguments.folder)
    for path in Project(web, tables).write(folder):
        print(f"  {path}")
    start = 'python main.py "Hello?"' if web == "none" else "python main.py"
    test = "python main.py test" if web == "django" else "pytest"
    place = "" if folder.resolve() == Path.cwd() else f"cd {folder}\n"
    print(f"\n{place}pip install -r requirements.txt\n{start}\n{test}")
    print(
        '\nAnswers come from a test model. For real ones: pip install "chatrecord[openai]", set '
        "OPENAI_API_KEY, and CHAT_LLM=openai:gpt-5.2"
    )
    return os.EX_OK


def _asked(question: str, option: str, choices: dict[str, str]) -> str:
    """What somebody at the terminal chooses. Elsewhere the option has to be given."""
    if not sys.stdin.isatty():
        msg = f"init needs {option}: {', '.join(choices)}"
        raise ConfigurationError(msg)
    print(question)
    names = list(choices)
    for number, words in enumerate(choices.values(), 1):
        print(f"  {number}  {words}")
    while True:
        answer = input("1: ").strip() or "1"
        if answer.isdecimal() and 1 <= int(answer) <= len(names):
            return names[int(answer) - 1]
        if answer in choices:
            return answer
        print(f"A number from 1 to {len(names)}, please.")
