"""A buffer on a Chroma server: many processes write and read at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chroma_server import free_port, serving
from toy_experience import HOUSE, dream, query_of, walk

from dreamgym_env.errors import ReplayBufferError
from dreamgym_env.memory import HashingEmbedder, ReplayBuffer
from dreamgym_env.types import Source


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server on a folder that a buffer was closed in."""
    folder = tmp_path_factory.mktemp("served")
    with ReplayBuffer(HOUSE, folder, seed_experience=False) as buffer:
        buffer.add(walk(0))
    with serving(folder) as (address, _):
        yield address


def test_many_clients_share_one_buffer(server: str) -> None:
    with (
        ReplayBuffer(HOUSE, server, seed_experience=False) as one,
        ReplayBuffer(HOUSE, server, seed_experience=False) as two,
    ):
        assert one.recorded([query_of(walk(0)[4])])[0] is not None  # what was written into the folder is served
        assert len(two) == len(walk(0))
        one.add(walk(1, actions=("say from one",)))
        two.add(walk(2, actions=("say from two",)))
        for client in (one, two):
            for number, word in ((1, "one"), (2, "two")):
                question = query_of(walk(number, actions=(f"say from {word}",))[0])
                assert client.retrieve([question], k=1)[0][0].transition.task_id == f"toyhouse/train/{number}"


def test_dreams_are_batched_and_evicted_on_a_server_too(server: str) -> None:
    with ReplayBuffer(HOUSE, server, seed_experience=False, max_dream=2, flush_every=10) as buffer:
        buffer.add([dream(number) for number in range(5)])
        assert buffer.stats()["pending"] == 5
        buffer.flush()
        assert buffer.count(Source.DREAM) == 2
    with ReplayBuffer(HOUSE, server, seed_experience=False, read_only=True) as reader:
        assert [step for step in reader.experience() if step.source is Source.DREAM] == [dream(3), dream(4)]


def test_another_embedder_is_refused(server: str) -> None:
    with pytest.raises(ReplayBufferError, match="indexed with"):
        ReplayBuffer(HOUSE, server, seed_experience=False, embedder=HashingEmbedder(16))


def test_a_missing_server_says_how_to_start_one() -> None:
    port = free_port()
    with pytest.raises(ReplayBufferError, match=rf"No Chroma server answers .*--port {port}`"):
        ReplayBuffer(HOUSE, f"http://127.0.0.1:{port}", seed_experience=False)


def test_a_server_that_dies_is_an_error_of_the_buffer(tmp_path: Path) -> None:
    with serving(tmp_path) as (address, process):
        buffer = ReplayBuffer(HOUSE, address, seed_experience=False)
        buffer.add(walk(0))
        process.kill()
        process.wait()
        with pytest.raises(ReplayBufferError, match=f"{address} does not answer.*Check that the server runs"):
            buffer.retrieve([query_of(walk(0)[0])], k=1)
        with pytest.raises(ReplayBufferError, match="does not answer"):
            buffer.add(walk(1))
        with pytest.raises(ReplayBufferError, match="does not answer"):
            buffer.close()
        buffer.close()
