"""The vectors that come with the handbook are those of its passages."""

import numpy as np
from hr.embeddings import LocalEmbedder
from hr.settings import HERE
from hr.shipped_vectors import FILE, LOCAL, WithShippedVectors, handbook_texts
from safetensors.numpy import load_file


class Forbidden:
    """A model that nobody has to ask."""

    name = LOCAL

    async def embed(self, texts):
        assert list(texts) == [], "run: python -m hr.shipped_vectors"
        return []


async def test_a_first_start_computes_no_vector_of_the_shipped_handbook():
    texts = list(handbook_texts(HERE / "handbook"))

    vectors = await WithShippedVectors(Forbidden()).embed(texts)

    assert len(vectors) == len(texts)
    assert len(load_file(FILE)["keys"]) == len(set(texts)) > 3_000


async def test_they_are_what_the_model_computes():
    texts = list(handbook_texts(HERE / "handbook"))[::200]

    shipped = await WithShippedVectors(Forbidden()).embed(texts)

    for vector, computed in zip(shipped, await LocalEmbedder().embed(texts), strict=True):
        assert float(np.dot(vector, computed)) > 0.999


async def test_another_text_is_computed(embedder):
    (vector,) = await WithShippedVectors(embedder).embed(["No handbook says this."])
    (computed,) = await embedder.embed(["No handbook says this."])

    assert np.array_equal(vector, computed)
