"""An OpenAI-compatible server on loopback that answers every chat call the same, after a fixed time, all at once.

Run in a process of its own, so that it takes no time from the client's: ``python loopback_server.py --seconds 0.5``
prints its port and serves until it is killed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["loopback_server"]

_ANSWER = '{"reasoning": "As it was recorded.", "next_state": "M1", "reward": 0, "terminated": false}'
"""In the chat format with the codec ``edits``: the page of the first memory."""


@contextlib.contextmanager
def loopback_server(seconds: float) -> Iterator[str]:
    """Run a server in another process while the context lasts; yield its base URL."""
    command = [sys.executable, str(Path(__file__)), "--seconds", str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.kill()
        process.wait()


class _Connection(asyncio.Protocol):
    """Reads requests as far as needed to know where they end, and answers each after a while."""

    def __init__(self, seconds: float, response: bytes) -> None:
        self._seconds = seconds
        self._response = response
        self._received = bytearray()
        self._end = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while self._request_is_complete():
            del self._received[: self._end]
            self._end = 0
            asyncio.get_running_loop().call_later(self._seconds, self._answer)

    def _request_is_complete(self) -> bool:
        if not self._end:
            head_end = self._received.find(b"\r\n\r\n")
            if head_end < 0:
                return False
            head = bytes(self._received[:head_end]).lower()
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0].strip()
            self._end = head_end + 4 + int(length or b"0")
        return len(self._received) >= self._end

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._response)


def _response() -> bytes:
    body = json.dumps(
        {
            "id": "loopback",
            "object": "chat.completion",
            "model": "loopback",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": _ANSWER}, "finish_reason": "stop"},
            ],
            "usage": {"prompt_tokens": 2000, "completion_tokens": 30, "total_tokens": 2030},
        }
    ).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _serve(seconds: float) -> None:
    response = _response()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(seconds, response), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5, help="how long every answer takes")
    asyncio.run(_serve(parser.parse_args().seconds))
