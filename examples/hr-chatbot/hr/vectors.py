"""Vectors in a column: pgvector's type on PostgreSQL, bytes elsewhere."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

DIMENSIONS = 384

Vector: TypeAlias = NDArray[np.float32]
"""A direction of length 1, so that the product of two is their cosine."""


class _PgVector(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return f"vector({DIMENSIONS})"


class Embedding(TypeDecorator[Vector]):
    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        own = _PgVector() if dialect.name == "postgresql" else LargeBinary()
        return dialect.type_descriptor(own)

    def process_bind_param(self, value: Vector | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if dialect.name == "postgresql":
            return "[" + ",".join(map(repr, value.tolist())) + "]"
        return value.astype("<f4").tobytes()

    def process_result_value(self, value: Any, dialect: Dialect) -> Vector | None:
        if value is None:
            return None
        if isinstance(value, str):
            return np.array(value[1:-1].split(","), dtype=np.float32)
        return np.frombuffer(value, dtype="<f4")
