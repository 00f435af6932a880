"""The openai generator keeps the contract of every generator, in front of a server that decodes deterministically."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from dreamgym_env.testing.generator_contract import TextGeneratorContract
from dreamgym_env.testing.openai_server import Call, LoopbackServer, Reply, completion_reply
from dreamgym_env.world_model.generators.openai import OpenAIGenerator


def decode(call: Call) -> Reply:
    """Write words that depend on the prompt, and on the seed above temperature 0, until max_tokens or a stop string."""
    if len(call.text) > 10_000:
        return Reply(b'{"error": {"message": "the prompt is longer than the context of 10000 characters"}}', 400)
    seed = call.body["seed"] if call.body["temperature"] > 0 else 0
    digest = hashlib.sha256(f"{seed} {call.text}".encode()).hexdigest()
    words = [digest[index : index + 4] for index in range(0, 60, 4)][: call.body["max_tokens"]]
    text = " ".join(words)
    for stop in call.body.get("stop", ()):
        text = text.partition(stop)[0]
    return completion_reply(call, text)


class TestOpenAIGenerator(TextGeneratorContract):
    @pytest.fixture(autouse=True)
    def _server(self) -> Iterator[None]:
        with LoopbackServer(decode) as self.server:
            yield

    def make_generator(self) -> OpenAIGenerator:
        return OpenAIGenerator("tiny", [self.server.url], api_key="sk-test")


class TestSeveralServers(TestOpenAIGenerator):
    def make_generator(self) -> OpenAIGenerator:
        return OpenAIGenerator("tiny", [self.server.url] * 3, max_concurrency=2)


class TestCompletionsApi(TestOpenAIGenerator):
    def make_generator(self) -> OpenAIGenerator:
        return OpenAIGenerator("tiny", [self.server.url], api="completions")
