"""The live subscription's own process: ``python -m bot.backend.live_process``.

Convex's Python client holds the interpreter's lock while it waits for a server that does not answer, which would
stop a whole bot. Here it stops nobody.

On stdin come JSON lines: first ``{"url", "path", "token", "parent"}``, later ``{"token"}`` before the last one expires.
On stdout go JSON lines: ``{"value": …}`` in Convex's encoding, or ``{"error": …}`` and the end. It ends with its stdin.
"""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
import json
import os
import signal
import sys
from typing import IO, Any, cast

_STALL_S = 15.0
"""Longer than the client needs to connect to a server that is there (5 s at most)."""

_CHECK_S = 3.0
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


async def _follow(lines: asyncio.StreamReader, out: IO[str]) -> None:
    from convex import ConvexClient, convex_to_json

    order = json.loads(await lines.readline())
    if os.getppid() != order["parent"]:
        return  # it went before this process could ask the kernel to end with it
    client = ConvexClient(order["url"])
    client.set_auth(order["token"])
    renewing = asyncio.create_task(_renew(lines, client.set_auth))
    try:
        async for value in client.subscribe(order["path"]):
            out.write(json.dumps({"value": convex_to_json(cast("Any", value))}, separators=(",", ":")) + "\n")
            out.flush()
    finally:
        renewing.cancel()


async def _renew(lines: asyncio.StreamReader, set_auth: Any) -> None:
    while line := await lines.readline():
        set_auth(json.loads(line)["token"])
    # The parent has gone. The client's own threads would hold an orderly exit up.
    os._exit(0)


async def _watch_for_stalls() -> None:
    # The watchdog's thread needs no lock of the interpreter: it ends a process that hangs inside the client,
    # which otherwise would see neither its parent's end nor a signal.
    with open(os.devnull, "w") as nowhere:  # noqa: ASYNC230, PTH123 - no file that could make anyone wait
        while True:
            faulthandler.dump_traceback_later(_STALL_S, exit=True, file=nowhere)
            await asyncio.sleep(_CHECK_S)


async def _main(out: IO[str]) -> int:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    watch = asyncio.create_task(_watch_for_stalls())
    try:
        await _follow(lines, out)
    except Exception as error:  # whatever it is: the parent logs it and starts anew
        out.write(json.dumps({"error": f"{type(error).__name__}: {error}"[:500]}) + "\n")
        out.flush()
        return 1
    finally:
        watch.cancel()
    return 0


def _end_with_parent() -> None:
    """Have the kernel kill this process when its parent goes; elsewhere than on Linux the end of stdin has to do."""
    if sys.platform == "linux":
        # While the client holds the interpreter's lock, nothing of Python's sees that stdin has ended.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Follow one query until stdin ends."""
    _end_with_parent()
    # Ctrl-C reaches the whole process group; it is the parent who decides when this ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The client prints functions' log lines to stdout, which belongs to the parent.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    status = asyncio.run(_main(out))
    os._exit(status)


if __name__ == "__main__":
    main()
