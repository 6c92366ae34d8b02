"""What is found in the handbook."""

import pytest
from hr.evaluate import evaluate, questions
from hr.search import fused


def test_there_are_enough_questions_and_none_repeats_its_heading():
    asked = questions()
    assert len(asked) >= 60
    assert not [it for it in asked if it.heading.lower() in it.question.lower()]


async def test_hybrid_search_finds_nine_answers_in_ten_and_more_than_either_way_alone(hr):
    vector, text, hybrid = [await evaluate(hr.search, way) for way in ("vector", "text", "hybrid")]
    assert hybrid.recall >= 0.9, hybrid.missed
    assert hybrid.recall > max(vector.recall, text.recall)


async def test_a_passage_of_a_pdf_has_its_page(hr):
    found = await hr.search("From what age can I draw my pension?")
    assert ("pension.pdf", "Retirement", 2) in [(it.document, it.heading, it.page) for it in found]


async def test_nothing_is_found_about_what_is_not_in_the_handbook(hr):
    assert await hr.search("xylophone quasar zebra") == []


@pytest.mark.parametrize(
    "query", ['"', "' OR 1=1 --", "a:b*", "NEAR(", "\0", "\ud800", "🐍", "the of", "%s", "x" * 5000]
)
async def test_any_query_is_only_words(hr, query):
    assert isinstance(await hr.search(query), list)


def test_a_passage_found_by_both_searches_ranks_first():
    scores = fused({"vector": ["a", "b"], "text": ["c", "b"]})
    assert max(scores, key=scores.__getitem__) == "b"
