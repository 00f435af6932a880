"""A browser in a process of its own: ``python -m dreamgym_env.domains.browser.engine``.

The process reads requests from its standard input and answers on its standard output, one JSON object a line.  It is a
process because a page can hang and with it whoever waits for it.  It ends when its input does, whatever a page is
doing, and takes the browser and its files with it.

Requests: ``{"start": key, "task": "module:Class", "arguments": {...}, "observation": ..., "actions": [...]}``, where
the class is a task of BrowserGym's protocol with the attributes ``sites`` and ``confined`` of :class:`~.lane.Lane`;
``{"step": key, "action": ...}``; each with ``"forget": [keys]`` of episodes that are over.  Answers:
what :class:`~.lane.Lane` returns, or ``{"error"}``.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

__all__ = ["main"]

_PATIENCE = 1.0
"""Seconds that closing the browser may take when the input has ended; whoever asks waits 2 for the process to end."""
_DYING = 0.2
"""Seconds that the browser's processes may take to be gone once they were killed."""
_FLAGS = ("--disable-gpu", "--disable-background-networking", "--disable-features=OverlayScrollbars")


class _Engine:
    """Episodes in progress by key, in one browser."""

    def __init__(self, program: str) -> None:
        """Start the browser whose program is named."""
        import playwright.sync_api
        from browsergym.core.constants import BROWSERGYM_ID_ATTRIBUTE

        from dreamgym_env.domains.browser.lane import Lane

        self._lane = Lane
        self._playwright = playwright.sync_api.sync_playwright().start()
        self._playwright.selectors.set_test_id_attribute(BROWSERGYM_ID_ATTRIBUTE)
        self._browser = self._playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        self._lanes: dict[int, Any] = {}

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out a request. Raises whatever the browser raises."""
        for key in request.get("forget", ()):
            if lane := self._lanes.pop(key, None):
                lane.close()
        if "start" in request:
            return self._start(request)
        answer: dict[str, Any] = self._lanes[request["step"]].act(request["action"])
        return answer

    def works(self) -> bool:
        """Return whether browser and driver still do what they are told; neither notices when the other is lost."""
        try:
            self._browser.new_context().close()
        except Exception:
            return False
        return True

    def close(self) -> None:
        """Close the browser."""
        self._browser.close()
        self._playwright.stop()

    def _start(self, request: Mapping[str, Any]) -> dict[str, Any]:
        module, _, name = request["task"].partition(":")
        task = getattr(importlib.import_module(module), name)(**request["arguments"])
        lane = self._lane(
            self._browser,
            task,
            observation=request["observation"],
            allowed=request["actions"],
            sites=task.sites,
            confined=task.confined,
        )
        self._lanes[request["start"]] = lane
        answer: dict[str, Any] = lane.begin()
        return answer


def _own_output() -> IO[str]:
    """Return the standard output for answers alone: what else is printed goes to the error output instead."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return own


def _read_requests(requests: queue.SimpleQueue[str | None], folder: Path) -> None:
    """Pass requests on; where the input ends while a page hangs, end the process."""
    for line in sys.stdin:
        requests.put(line)
    requests.put(None)
    threading.Event().wait(_PATIENCE)
    _end_at_once(folder, 0)


def _end_at_once(folder: Path, code: int) -> None:
    """End the process and the browser, whatever they are doing.

    The browser is killed, not closed: one that closes writes files to the last, also where they were removed.
    """
    for driver in _children(os.getpid()):
        for browser in _children(driver):  # each has a process group of its own
            with contextlib.suppress(OSError):
                os.killpg(browser, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.kill(driver, signal.SIGKILL)
    threading.Event().wait(_DYING)
    _remove(folder)
    os._exit(code)


def _children(pid: int) -> list[int]:
    """Return the numbers of a process's children; none where the system does not tell."""
    with contextlib.suppress(OSError):
        threads = Path(f"/proc/{pid}/task").iterdir()
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    return []


def _remove(folder: Path) -> None:
    """Remove the process's files, and the folder that they are in if nothing else is there."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()


def main() -> None:
    """Answer requests until the input ends; the arguments name the browser's program and a folder for its files."""
    output = _own_output()
    Path(sys.argv[2]).mkdir(exist_ok=True)  # a process that ended may have taken it with it
    folder = Path(tempfile.mkdtemp(prefix="browser-", dir=sys.argv[2]))
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    requests: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read_requests, args=(requests, folder), daemon=True).start()
    engine: _Engine | None = None
    with contextlib.suppress(BrokenPipeError):  # whoever asked has gone
        while (line := requests.get()) is not None:
            try:
                engine = engine or _Engine(sys.argv[1])
                answer = engine.answer(json.loads(line))
            except Exception as error:
                if engine is not None and not engine.works():
                    _end_at_once(folder, 1)  # whoever asks sees that the process has ended, and starts another
                answer = {"error": f"{type(error).__name__}: {error}"[:500]}
            output.write(f"{json.dumps(answer)}\n")
            output.flush()
    if engine is not None:
        with contextlib.suppress(Exception):  # a browser that is lost already
            engine.close()
    _remove(folder)


if __name__ == "__main__":
    main()
