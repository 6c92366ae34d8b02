"""Runs a bench of this folder by its name, and prints what it found.

python -P bench/one_bench.py streams '["sqlite:///"]' '{"ticks": [0.05], "streams": [1]}'

The library that it measures, and the benches that it uses, are those of PYTHONPATH: of any commit.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType


def bench_of(name: str) -> ModuleType:
    """The bench of this folder, whatever is first on the path."""
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    bench = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(bench)
    return bench


if __name__ == "__main__":
    name, servers, options = sys.argv[1:4]
    results = asyncio.run(bench_of(name).run(json.loads(servers), **json.loads(options)))
    print(json.dumps([asdict(result) for result in results]))
