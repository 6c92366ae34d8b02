"""Stored chats as evaluations: datasets of Pydantic Evals."""

from .cases import Question, RunFacts, StoredCall
from .dataset import StoredCases, to_dataset

__all__ = ["Question", "RunFacts", "StoredCall", "StoredCases", "to_dataset"]
