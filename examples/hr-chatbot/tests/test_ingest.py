"""Documents into the database, again and again."""

import pytest
from hr.ingest import Ingestion
from hr.splitting import UnreadableDocument, split
from hr.tables import Document, Passage
from sqlalchemy import delete, func, select


@pytest.fixture
def ingestion(hr, embedder):
    return Ingestion(hr.sessions, embedder)


async def _all(hr, column):
    async with hr.sessions() as session:
        return sorted(await session.scalars(select(column)))


async def test_ingesting_again_changes_nothing(hr, ingestion):
    before = await _all(hr, Passage.id)
    done = await ingestion.folder(hr.settings.handbook, lambda *_: None)
    assert (done.new, done.unchanged, done.removed) == (0, 35, 0)
    assert await _all(hr, Passage.id) == before
    assert len(before) > 250


async def test_every_passage_is_found_by_its_words_once(hr, ingestion):
    """The full text index follows the passages when they are replaced."""
    await ingestion.document("zebras.md", b"# Zebras\n\nZebras graze.", "upload")
    await ingestion.document("zebras.md", b"# Zebras\n\nZebras sleep.", "upload")
    try:
        found = await hr.search("zebras", way="text")
        assert [it.text for it in found] == ["Zebras sleep."]
    finally:
        async with hr.sessions.begin() as session:
            await session.execute(delete(Passage).where(Passage.document == "zebras.md"))
            await session.execute(delete(Document).where(Document.name == "zebras.md"))


async def test_a_changed_document_keeps_the_ids_of_what_did_not_change(tmp_path, embedder):
    from conftest import opened

    url = f"sqlite:///{tmp_path / 'own.db'}"
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "tea.md").write_text("# Tea\n\n## Green\n\nAt 80 degrees.\n\n## Black\n\nBoiling.")
    (folder / "milk.md").write_text("# Milk\n\nCold.")
    async with opened(url, embedder, None) as hr:
        await hr.ingestion.folder(folder, lambda *_: None)
        before = await _all(hr, Passage.id)

        (folder / "tea.md").write_text(
            "# Tea\n\n## Green\n\nAt 75 degrees.\n\n## Black\n\nBoiling."
        )
        (folder / "milk.md").unlink()
        await hr.ingestion.document("notes.txt", b"Sugar is in the cupboard.", "upload")
        done = await hr.ingestion.folder(folder, lambda *_: None)

        assert (done.new, done.unchanged, done.removed) == (1, 0, 1)
        assert len(set(before) & set(await _all(hr, Passage.id))) == 1
        assert await _all(hr, Document.name) == ["notes.txt", "tea.md"]
        async with hr.sessions() as session:
            assert await session.scalar(select(func.count()).select_from(Passage)) == 3


def test_headings_and_pages_are_kept(request):
    handbook = request.config.rootpath / "handbook"
    pension = split("pension.pdf", (handbook / "pension.pdf").read_bytes())
    assert pension.title == "Company pension"
    assert {"Contributions": 1, "Retirement": 2}.items() <= {
        it.heading: it.page for it in pension.pieces
    }.items()
    travel = split("travel.md", (handbook / "travel.md").read_bytes())
    assert travel.title == "Business travel"
    assert "Hotels" in [it.heading for it in travel.pieces]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"%PDF-1.7 nothing more"),
        ("a.pdf", b""),
        ("a.pdf", b"%PDF-1.4\n" + b"\xff" * 1000),
        ("a.md", b"\xff\xfe\xff"),
        ("a.txt", b" \n \n"),
        ("a.md", b"# Only a title"),
    ],
)
def test_an_unreadable_value_is_marked_as_such(name, content):
    with pytest.raises(UnreadableDocument):
        split(name, content)


def test_no_passage_is_too_long_for_a_small_model():
    pieces = split("long.txt", b"word " * 5000).pieces
    assert max(len(it.text) for it in pieces) <= 700
    assert sum(it.text.count("word") for it in pieces) >= 4990
