"""Pages that try a browser's patience, as tasks of BrowserGym's protocol; imported by the browser's process."""

from __future__ import annotations

import http.server
import threading
from typing import Any

PAGES = {
    "form": "<title>Form</title><h1>Sign up</h1><label>Name <input id=n></label>"
    "<select aria-label=State><option>Ohio<option>Utah</select><button>Go</button>"
    "<button onclick='for(;;);'>Hang</button><button onclick=\"document.body.append(' more')\">Add</button>"
    "<a href='http://192.0.2.1/'>Away</a>",
    "slow": "<title>Slow</title><a href=late>Link</a><form action=late><label>Word <input></label><button>Go</button>"
    "</form><button onclick=\"setTimeout(() => location.href = 'late', 20)\">Soon</button>",
    "late": "<title>Late</title><h1>At last</h1>",
    "big": "<title>Big</title>" + ("<p>" + "word " * 100_000 + "</p>") * 20 + "<button>End</button>",
    "long": "<title>Long</title>" + "".join(f"<p>{'word ' * 40}<button>B{at}</button></p>" for at in range(40_000)),
}


class TrialPage:
    """One page; success is a message "yes" to the user."""

    confined = True
    viewport = None

    def __init__(self, page: str) -> None:
        self.page = page
        self.sites = {"__SITE__": serve()}

    def setup(self, page: Any) -> tuple[str, dict[str, Any]]:
        page.goto(f"{self.sites['__SITE__']}/{self.page}")
        return "Look at it.", {}

    def validate(self, page: Any, messages: list[dict[str, Any]]) -> tuple[float, bool, str, dict[str, Any]]:
        said = [message["message"] for message in messages if message["role"] == "assistant"]
        return float(said == ["yes"]), bool(said), "", {}

    def teardown(self) -> None:
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/mute":
            threading.Event().wait(60)
        if self.path.startswith("/late"):
            threading.Event().wait(1.2)
        body = PAGES.get(self.path[1:].partition("?")[0], "<title>None</title>").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


SERVERS: list[http.server.ThreadingHTTPServer] = []


def serve() -> str:
    if not SERVERS:
        SERVERS.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=SERVERS[0].serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{SERVERS[0].server_port}"
