"""For synchronous code: see `chatrecord.evals`."""

from chatrecord.chats.sync import waiting

from . import dataset

to_dataset = waiting(dataset.to_dataset)

__all__ = ["to_dataset"]
