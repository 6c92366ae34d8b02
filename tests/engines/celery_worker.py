"""A worker of Celery."""

import os

from celery import Celery

from chatrecord.engines.celery import CeleryAnswers

from .worker import QUEUE, database, llm_for

app = Celery(broker=os.environ.get("CHATS_BROKER"))
app.conf.worker_prefetch_multiplier = 1
answers = CeleryAnswers(app, database, llm_for, queue=QUEUE)
