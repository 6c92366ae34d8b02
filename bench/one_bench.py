"""Runs a bench by its name and prints what it found, for a library and benches of any commit.

python -P bench/one_bench.py streams '["sqlite:///"]' '{"ticks": [0.05], "streams": [1]}'
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from importlib import import_module

if __name__ == "__main__":
    name, servers, options = sys.argv[1:4]
    bench = import_module(name)
    results = asyncio.run(bench.run(json.loads(servers), **json.loads(options)))
    print(json.dumps([asdict(result) for result in results]))
