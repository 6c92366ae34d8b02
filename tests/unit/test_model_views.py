"""A view of a model: its state is the model's, some of its attributes are not."""

from typing import Any

from pydantic_ai.models import Model
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.models.wrapper import WrapperModel

from chatrecord.pydantic_ai.model_views import view_of


class Counting(TestModel):
    asked = 0

    def ask(self) -> str:
        self.asked += 1
        return self.word()

    def word(self) -> str:
        return "own"


def test_a_view_shares_the_state_of_its_model() -> None:
    model = Counting()
    view = view_of(model, word=lambda: "other")

    assert (view.ask(), model.ask()) == ("other", "own")

    assert model.asked == view.asked == 2
    assert isinstance(view, Counting)
    assert "word" not in vars(model)


def test_a_view_of_a_view_has_the_attributes_of_both() -> None:
    model = Counting()
    first = view_of(model, word=lambda: "first")
    second = view_of(first, word=lambda: "second", custom_output_text="said")

    assert (first.ask(), second.ask()) == ("first", "second")
    assert second.custom_output_text == "said"
    assert (first.custom_output_text, model.custom_output_text) == (None, None)
    assert model.asked == 2
    assert type(second).__mro__[1] is Counting


def test_wrappers_and_fallbacks_have_other_models_and_the_same_state() -> None:
    class Limited(WrapperModel):
        waiting = 0

    one, other = Counting(), Counting()
    wrapper, fallback = Limited(one), FallbackModel(one, other)
    views: list[Any] = [view_of(wrapper, wrapped=other), view_of(fallback, models=[other])]
    views[0].waiting += 1

    assert views[0].wrapped is other
    assert views[1].models == [other]
    assert (wrapper.wrapped, wrapper.waiting) == (one, 1)
    assert fallback.models == [one, other]
    assert all(isinstance(view, Model) for view in views)
