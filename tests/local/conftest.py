"""The real local LLM. Where it is not set up, what needs it is skipped, and says so."""

from __future__ import annotations

import pytest

from chatrecord.local import missing_parts


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [part.name for part in missing_parts()]
    if not missing:
        return
    reason = f"the local LLM is not set up (missing: {', '.join(missing)}): chatrecord setup-local"
    for item in items:
        if item.get_closest_marker("local"):
            item.add_marker(pytest.mark.skip(reason=reason))
