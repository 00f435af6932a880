"""A shop with little experience, a model behind a server on loopback, and the command line."""

from __future__ import annotations

import signal

import pytest
from copying import copy_from_memory
from typer.testing import CliRunner

from dreamgym_env.cli import app
from dreamgym_env.domains.webshop.domain import WebShop
from dreamgym_env.testing.openai_server import LoopbackServer
from dreamgym_env.training.record import parse_agent_shares, record_experience


@pytest.fixture(autouse=True)
def interruptible():
    """Let Ctrl-C interrupt: what a shell runs in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def experience(tmp_path_factory):
    """A transitions file of the real shop, small enough to be indexed at once."""
    path = tmp_path_factory.mktemp("experience") / "little.jsonl.gz"
    shares = parse_agent_shares("oracle:0.6,random:0.4")
    record_experience("webshop", path, agents=shares, episodes=40, seed=1, progress=False)
    return path


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Where the index of that experience is kept."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def shop(experience, cache, monkeypatch):
    """WebShop, shipping that experience instead of its own."""
    monkeypatch.setenv("DREAMGYM_CACHE", str(cache))
    monkeypatch.setattr(WebShop, "seed_experience", lambda self: str(experience))


@pytest.fixture
def copying_model():
    """The string of a world model that copies from memories."""
    with LoopbackServer(copy_from_memory) as server:
        yield f"openai:copy@{server.url}"


@pytest.fixture
def dreamgym():
    """Run a command: arguments, and what is typed; returns its result."""
    runner = CliRunner()

    def run(*arguments, typed=""):
        return runner.invoke(app, [str(argument) for argument in arguments], input=typed)

    return run
