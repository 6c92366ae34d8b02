"""A worker of procrastinate."""

from procrastinate import App, PsycopgConnector
from sqlalchemy import make_url

from chatrecord.engines.procrastinate import ProcrastinateAnswers

from .worker import QUEUE, URL, database, llm_for


def conninfo(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


app = App(connector=PsycopgConnector(conninfo=conninfo(URL)))
if URL:
    answers = ProcrastinateAnswers(app, database(), llm_for, queue=QUEUE)
