"""A Python file whose public functions are tools: `--tools FILE.py`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from chatrecord.errors import ConfigurationError

Tool = Callable[..., Any]


def tools_of(file: str) -> list[Tool]:
    """The functions that this file defines and whose names begin with no underscore.

    Raises `ConfigurationError` where it cannot be run or defines none.
    """
    module = _loaded(Path(file))
    tools = [it for name, it in vars(module).items() if _is_tool(name, it, module)]
    if not tools:
        msg = f"{file} defines no public function: a tool is a function with types and a docstring"
        raise ConfigurationError(msg)
    return tools


def _is_tool(name: str, value: object, module: ModuleType) -> bool:
    """What the file only imports is not offered to the LLM."""
    is_its_own = inspect.isfunction(value) and value.__module__ == module.__name__
    return is_its_own and not name.startswith("_")


def _loaded(path: Path) -> ModuleType:
    if not path.is_file():
        msg = f"There is no file {path}: --tools takes a Python file"
        raise ConfigurationError(msg)
    name = f"chatrecord_tools_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        msg = f"{path} is no Python file: --tools takes one whose name ends in .py"
        raise ConfigurationError(msg)
    module = module_from_spec(spec)
    # As when Python runs the file: it finds its annotations, and the files in its folder.
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        msg = f"{path} cannot be run: {type(error).__name__}: {error}{_line_of(error, path)}"
        raise ConfigurationError(msg) from error
    return module


def _line_of(error: Exception, path: Path) -> str:
    """Where it happened, unless the error says so itself."""
    if isinstance(error, SyntaxError):
        return ""
    frames = inspect.getinnerframes(error.__traceback__) if error.__traceback__ else []
    lines = [frame.lineno for frame in frames if Path(frame.filename).name == path.name]
    return f" (line {lines[-1]})" if lines else ""
