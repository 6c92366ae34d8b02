"""The quick tests first, and every failure as it happens."""

from __future__ import annotations

from pathlib import Path

import pytest

ORDER = ("unit", "providers", "recorded", "cli", "docs", "web", "conformance", "database")
"""Folders of tests, the quickest to find a fault first; those that are missing come last."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _rank(item.path))


def _rank(path: Path) -> int:
    folders = (ORDER.index(part) for part in path.parts if part in ORDER)
    return next(folders, len(ORDER))


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    is_worker = hasattr(config, "workerinput")
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not is_worker:
        config.pluginmanager.register(_AtOnce(terminal))


class _AtOnce:
    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._terminal.ensure_newline()
            self._terminal.section(f"{report.nodeid} ({report.when})", sep="-", red=True)
            self._terminal.line(report.longreprtext)
