#!/usr/bin/env bash
# asyncpg 0.32.0, Python 3.11.
#
# A task that connects with the default `ssl` ("prefer") is cancelled, such as by a timeout, while its
# socket opens. One would guess that it ends with CancelledError, and that is all.
# Seen: the future that was to wait for the server's answer about SSL is left with a ConnectionError
# that nobody awaits. When it is collected, the event loop logs "Future exception was never retrieved".
#
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "asyncpg==0.32.0"

cat > "$work/see.py" <<'PYTHON'
import asyncio
import gc

import asyncpg


async def connect_and_cancel(port: int, steps: int) -> None:
    connecting = asyncio.create_task(
        asyncpg.connect(host="127.0.0.1", port=port, user="me", database="mine", password="none")
    )
    for _ in range(steps):
        await asyncio.sleep(0)
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)


async def main() -> None:
    told: set[str] = set()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(
        lambda _, context: told.add(f"{context['message']}: {context.get('exception')}")
    )
    # Nothing is asked of this server before the cancellation: a port that accepts is enough.
    async with await asyncio.start_server(lambda reader, writer: None, "127.0.0.1") as server:
        for steps in range(10):
            await connect_and_cancel(server.sockets[0].getsockname()[1], steps)
            await asyncio.sleep(0.01)
            gc.collect()
    print(*told)


asyncio.run(main())
PYTHON

seen=$(timeout 60 "$work/venv/bin/python" "$work/see.py" 2>/dev/null)
echo "seen: $seen"
[ "$seen" = "Future exception was never retrieved: unexpected connection_lost() call" ]
