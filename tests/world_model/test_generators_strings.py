"""Generators from strings: what can be written in an environment's specification."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamgym_env.errors import DreamGymError, MissingDependencyError, WorldModelError, WorldModelStringError
from dreamgym_env.testing.openai_server import Call, LoopbackServer, Reply, completion_reply
from dreamgym_env.testing.tiny_model import save_tiny_model
from dreamgym_env.types import Prompt, Sampling
from dreamgym_env.world_model.generators import ScriptedGenerator, TransformersGenerator, generator_from_string
from dreamgym_env.world_model.generators.stop_strings import cut_at_stop


def test_a_transformers_string(tmp_path: Path) -> None:
    """The rest of the string is the model, colons and all."""
    folder = save_tiny_model(tmp_path / "a:model@http")
    generator = generator_from_string(f"transformers:{folder}")
    assert isinstance(generator, TransformersGenerator)
    assert generator.generate([Prompt("", "a")], Sampling(max_new_tokens=2), [0])[0].completion_tokens == 2


def test_an_openai_string_with_two_servers() -> None:
    """Several URLs share the load; the model's name may hold colons, slashes and at signs."""

    def name_the_model(call: Call) -> Reply:
        # not at once: who has answered is asked again, and all four calls shall be under way together
        return completion_reply(call, call.body["model"], delay=1.0)

    with LoopbackServer(name_the_model) as first, LoopbackServer(name_the_model) as second:
        generator = generator_from_string(f"openai:org/name:7b@latest@{first.url},{second.url}")
        answers = generator.generate([Prompt("", "a")] * 4, Sampling(), range(4))
        generator.close()
        assert {answer.text for answer in answers} == {"org/name:7b@latest"}
        assert len(first.calls) == len(second.calls) == 2


def test_a_vllm_string_without_vllm_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a bare ImportError from inside."""
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'dreamgym_env\[vllm\]'"):
        generator_from_string("vllm:some/model")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "gpt-4",
        "transformers",
        "transformers:",
        "anthropic:claude",
        "openai:",
        "openai:gpt-4",
        "openai:@http://localhost:8000/v1",
        "openai:gpt-4@localhost:8000/v1",
        "openai:gpt-4@http://",
        "openai:gpt-4@http://name:hunter2@localhost/v1",
    ],
)
def test_a_string_that_cannot_be_read_lists_the_forms(text: str) -> None:
    """Whatever is wrong, the message shows all forms; a password in it is not repeated."""
    with pytest.raises(WorldModelStringError) as caught:
        generator_from_string(text)
    for form in ("transformers:ID_OR_PATH", "vllm:ID_OR_PATH", "openai:MODEL@http://host:8000/v1"):
        assert form in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, DreamGymError)


def test_a_readable_string_of_a_missing_model_is_a_world_model_error(tmp_path: Path) -> None:
    """The form was right, so the forms are no help."""
    with pytest.raises(WorldModelError, match="no model folder"):
        generator_from_string(f"transformers:{tmp_path}/missing")


@given(st.text(alphabet="ab</>", max_size=20), st.lists(st.text(alphabet="ab</>", max_size=3), max_size=4))
def test_nothing_of_a_stop_string_is_left(text: str, stop: list[str]) -> None:
    """The cut text is the longest beginning that no stop string has begun in."""
    cut = cut_at_stop(text, stop)
    wanted = [string for string in stop if string]
    assert text.startswith(cut)
    assert not any(string in cut for string in wanted)
    assert cut == text or any(text.startswith(string, len(cut)) for string in wanted)


def test_a_script_that_raises_is_heard() -> None:
    """A generator of tests hides no mistake in a test."""

    def script(prompt: Prompt) -> str:
        raise KeyError(prompt.user)

    with pytest.raises(KeyError, match="lost"):
        ScriptedGenerator(script).generate([Prompt("", "lost")], Sampling(), [0])
