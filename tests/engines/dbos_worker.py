"""A worker of DBOS."""

import threading

from dbos import DBOS
from sqlalchemy import make_url

from chatrecord.engines.dbos import DBOSAnswers

from .worker import QUEUE, URL, database, llm_for


def system_url(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def main() -> None:
    DBOS(config={"name": "chats", "system_database_url": system_url(URL), "log_level": "WARNING"})
    answers = DBOSAnswers(database(), llm_for, queue=QUEUE)
    DBOS.launch()
    answers.listen()
    threading.Event().wait()


if __name__ == "__main__":
    main()
