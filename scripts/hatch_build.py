"""The description of the package: the README, whose links lead somewhere on any page."""

from __future__ import annotations

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|#|mailto:)([^)]+)\)")


def absolute(text: str, repository: str) -> str:
    """This Markdown with its relative links made absolute: files as pages, and pictures raw."""

    def link(found: re.Match[str]) -> str:
        kind = "raw" if found[1] else "blob"
        return f"{found[1]}[{found[2]}]({repository}/{kind}/main/{found[3]})"

    return _LINK.sub(link, text)


class DescriptionHook(MetadataHookInterface):
    """Called by hatchling for each wheel and source distribution."""

    def update(self, metadata: dict[str, object]) -> None:
        """Set the description."""
        urls = metadata["urls"]
        assert isinstance(urls, dict)
        text = (Path(self.root) / "README.md").read_text("utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": absolute(text, urls["Repository"]),
        }
