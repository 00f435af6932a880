"""No secret is shown or written: not in messages, logs or transitions files (``dreamgym_env.masking``)."""

from __future__ import annotations

import gzip
import json
import logging
import pickle
import traceback
from pathlib import Path

import gymnasium as gym
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.domains import load_domain
from dreamgym_env.errors import DreamGymError, ReplayBufferError, WorldModelError, WorldModelStringError
from dreamgym_env.masking import mask_secrets
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.testing.openai_server import LoopbackServer, Reply
from dreamgym_env.training.record import AgentShare, record_experience
from dreamgym_env.types import Prompt, Sampling
from dreamgym_env.world_model.generators.openai import OpenAIGenerator, RetryPolicy

DREAM = "DreamGym/WebShop-v0"
SECRETS = {
    "http://user:hunter2@host:8000/v1": "http://***@host:8000/v1",
    "http://hunter2@host": "http://***@host",
    "http://user:hun@ter2/hunter2@host/v1": "http://***@host/v1",
    "https://host/v1?api-key=hunter2&v=1": "https://host/v1?***",
    "https://host/v1#hunter2": "https://host/v1?***",
    "openai:org/m@latest@http://u:hunter2@one/v1,http://u:hunter2@two/v1": (
        "openai:org/m@latest@http://***@one/v1,http://***@two/v1"
    ),
    "openai:m@http://one?k=hunter2,https://two?k=hunter2": "openai:m@http://one?***,https://two?***",
    "openai:gpt@sk-hunter2hunter2hunter2": "openai:gpt@***",
    "hf_hunter2hunter2hunter2": "***",
    "{'api_key': 'hunter2', 'k': 5}": "{'api_key': '***', 'k': 5}",
    "password=hunter2 k=5": "password=*** k=5",
    "{'world_model': 'openai:m@http://u:hunter2@h/v1'}": "{'world_model': 'openai:m@http://***@h/v1'}",
    "No server at http://h/v1?k=hunter2: status 500.": "No server at http://h/v1?***: status 500.",
}


@pytest.mark.parametrize(("text", "shown"), SECRETS.items())
def test_secrets_are_masked_and_nothing_else(text: str, shown: str):
    assert mask_secrets(text) == shown == mask_secrets(shown)


HARMLESS = [
    "embedded",
    "transformers:org/model-7b@main",
    "openai:org/name:7b@latest@http://one:8000/v1,http://two:8000/v1",
    "vllm:/models/sk-learn",
    "the API key; pass the right one as api_key or set OPENAI_API_KEY",
    "Is it http://host/v1? Mail me@example.org.",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str):
    assert mask_secrets(text) == text


@given(st.text(st.sampled_from("htps:/@?,#='\" ab"), max_size=60))
def test_what_is_masked_stays_as_it_is(text: str):
    once = mask_secrets(text)
    assert mask_secrets(once) == once


def test_a_long_text_is_masked_in_time():
    for part in ("://", "http://a@", "?a#", "x"):
        mask_secrets(part * 3000)


def test_no_error_of_the_library_shows_one():
    error = WorldModelError("No answer from http://user:hunter2@host/v1?key=hunter2.")
    assert str(error) == "No answer from http://***@host/v1?***."
    for text in (repr(error), str(pickle.loads(pickle.dumps(error)))):
        assert "hunter2" not in text


BROKEN = {
    "a user in the URL": {"world_model": "openai:m@http://user:hunter2@127.0.0.1:9/v1"},
    "a password with a slash": {"world_model": "openai:m@http://user:hunter2/x@127.0.0.1:9/v1"},
    "no such form": {"world_model": "opneai:m@http://user:hunter2@127.0.0.1:9/v1"},
    "a key in place of a URL": {"world_model": "openai:m@sk-hunter2hunter2hunter2"},
    "an unknown keyword beside it": {"world_model": "openai:m@http://h/v1?key=hunter2", "bufer": None},
    "a wrong type beside it": {"world_model": "openai:m@http://h/v1?key=hunter2", "products": 3},
    "a buffer's server": {
        "world_model": "openai:m@http://h/v1?key=hunter2",
        "buffer": "http://user:hunter2@127.0.0.1:9",
    },
    "a buffer's port": {"world_model": "openai:m@http://h/v1", "buffer": "http://user:hunter2/@127.0.0.1"},
}


@pytest.mark.parametrize("settings", BROKEN.values(), ids=list(BROKEN))
@pytest.mark.parametrize("make", [gym.make, gym.make_vec])
def test_what_gym_make_refuses_it_refuses_without_repeating_a_secret(make, settings):
    with pytest.raises((DreamGymError, WorldModelStringError)) as caught:
        make(DREAM, **settings)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("reply", [Reply(b"no", 500), Reply(b"", 302, {"Location": "http://u:hunter2@h/?k=hunter2"})])
def test_a_server_s_failure_shows_no_query(reply: Reply, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with LoopbackServer(lambda call: reply) as server:
        generator = OpenAIGenerator(
            "m", [f"{server.url}?key=hunter2"], retry=RetryPolicy(max_retries=1, first_delay=0.01)
        )
        with pytest.raises(WorldModelError, match=server.url) as caught:
            generator.generate([Prompt("", "ask")], Sampling(), [0])
        generator.close()
        assert server.calls[0].path == "/v1/chat/completions?key=hunter2", "it is sent all the same"
    shown = caplog.text + repr(generator) + "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in shown


def test_a_recording_s_header_keeps_no_secret(tmp_path: Path):
    """It is kept which server dreamt, but not what opens it."""
    path = tmp_path / "dream.jsonl.gz"
    answer = b'{"choices": [{"message": {"content": "Sorry."}}]}'
    with LoopbackServer(lambda call: Reply(answer)) as server:
        settings = {
            "world_model": f"openai:m@{server.url}?key=hunter2",
            "seed_experience": False,
            "replay": False,
        }
        for _ in range(2):  # and the same settings continue it
            record_experience(
                "webshop",
                path,
                agents=[AgentShare("random", 1.0)],
                episodes=8,
                real=False,
                lanes=8,
                settings=settings,
                progress=False,
            )
        content = gzip.decompress(path.read_bytes()).decode()
        assert (
            json.loads(content.splitlines()[0])["recorded"]["settings"]["world_model"] == f"openai:m@{server.url}?***"
        )
    assert "hunter2" not in content


def test_a_buffer_s_address_is_masked_in_its_errors():
    with pytest.raises(ReplayBufferError, match=r"No Chroma server answers at http://\*\*\*@127\.0\.0\.1:9"):
        ReplayBuffer(load_domain("webshop"), "http://user:hunter2@127.0.0.1:9", seed_experience=False)
