"""A server on loopback that speaks the OpenAI protocol and answers what a Python function says, well or badly.

For tests of what a client does when a server misbehaves, and for measuring everything but the model.  As a command, it
answers every call after a delay, all calls at once::

    python -m dreamgym_env.testing.openai_server --port 8000 --delay 0.5
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, cast

__all__ = ["Call", "LoopbackServer", "Reply", "completion_reply"]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """A request as the server got it."""

    number: int
    """Requests before this one."""
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """The JSON object that was sent."""
        body: Mapping[str, Any] = json.loads(self.content)
        return body

    @property
    def text(self) -> str:
        """The contents of all messages (or the prompt), joined by line breaks."""
        if "messages" in self.body:
            return "\n".join(message["content"] for message in self.body["messages"])
        return str(self.body["prompt"])


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server sends back."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds before the first byte."""
    cut_after: int | None = None
    """Close the connection after so many bytes of the body."""


def completion_reply(call: Call, text: str, *, delay: float = 0.0, finish_reason: str = "stop") -> Reply:
    """Return the answer of a well server to ``call``; it counts words as tokens."""
    prompt_tokens, completion_tokens = len(call.text.split()), len(text.split())
    chat = call.path.endswith("/chat/completions")
    choice = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
    answer = {
        "id": f"completion-{call.number}",
        "object": "chat.completion" if chat else "text_completion",
        "created": 0,
        "model": call.body.get("model"),
        "choices": [{"index": 0, "finish_reason": finish_reason, **choice}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }
    return Reply(json.dumps(answer).encode(), delay=delay)


class LoopbackServer:
    """Serves on 127.0.0.1 from a thread of its own, all requests at once, until closed (it is a context manager).

    Args:
        answer: what to reply to a call; it runs in the server's thread and must not block.
        port: 0 for any free one.
    """

    def __init__(self, answer: Callable[[Call], Reply], port: int = 0) -> None:
        self.calls: list[Call] = []
        """Every request so far."""
        self._connections: list[_Connection] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loopback-server", daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(answer, port), self._loop).result()
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        """Base URL, for example ``"http://127.0.0.1:8000/v1"``."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def connections(self) -> int:
        """Connections accepted so far."""
        return len(self._connections)

    def __enter__(self) -> LoopbackServer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop all connections and stop; calling it twice is allowed."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join()
        self._loop.close()

    def wait(self) -> None:
        """Block until the server is closed by another thread."""
        self._thread.join()

    async def _listen(self, answer: Callable[[Call], Reply], port: int) -> asyncio.Server:
        return await self._loop.create_server(lambda: self._accept(answer), "127.0.0.1", port, backlog=1024)

    def _accept(self, answer: Callable[[Call], Reply]) -> _Connection:
        connection = _Connection(self.calls, answer)
        self._connections.append(connection)
        return connection

    def _stop(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.abort()
        # What the aborted connections have left to do comes before this in the queue.
        self._loop.call_soon(self._loop.call_soon, self._loop.stop)


class _Connection(asyncio.Protocol):
    """One keep-alive connection; requests on it are answered one after the other."""

    def __init__(self, calls: list[Call], answer: Callable[[Call], Reply]) -> None:
        self._calls = calls
        self._answer = answer
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exception: Exception | None) -> None:
        self._transport = None

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, rest = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        request, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self._received = rest[length:]
        call = Call(len(self._calls), request.split(" ")[1], headers, bytes(rest[:length]))
        self._calls.append(call)
        reply = self._answer(call)
        asyncio.get_running_loop().call_later(reply.delay, self._send, reply)

    def _send(self, reply: Reply) -> None:
        if self._transport is None:
            return  # the client went away, which is its right
        fields = {"Content-Type": "application/json", "Content-Length": str(len(reply.body)), **reply.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        head = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n{lines}\r\n"
        self._transport.write(head.encode("latin-1") + reply.body[: reply.cut_after])
        if reply.cut_after is not None:
            self._transport.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serve the OpenAI protocol on loopback, with one constant answer.")
    parser.add_argument("--port", type=int, default=0, help="port; by default any free one, which is logged")
    parser.add_argument("--delay", type=float, default=0.5, help="seconds a call takes; all calls run at once")
    parser.add_argument("--text", default="Nothing happens.", help="the answer to every call")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    example = Call(0, "/v1/chat/completions", {}, b'{"messages": []}')
    reply = completion_reply(example, options.text, delay=options.delay)
    with LoopbackServer(lambda call: reply, options.port) as server:
        _logger.info("serving %s", server.url)
        with contextlib.suppress(KeyboardInterrupt):
            server.wait()


if __name__ == "__main__":
    main()
