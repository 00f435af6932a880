"""Promises of conversations as token ids: they only grow, in any model's chat template, and read as the template's."""

from __future__ import annotations

import importlib.resources

import pytest

pytest.importorskip("trl", reason='needs trl: pip install "dreamgym_env[trl]"')

from talkers import save_house_model
from transformers import AutoTokenizer

from dreamgym_env.errors import TrainingError
from dreamgym_env.integrations.trl.chat import ConversationEncoder
from dreamgym_env.testing.tiny_model import CHAT_TEMPLATE
from dreamgym_env.types import Prompt

TEMPLATES = {
    entry.name.removesuffix(".jinja"): entry.read_text()
    for entry in importlib.resources.files("trl").joinpath("chat_templates").iterdir()
    if entry.name.endswith(".jinja")
}
"""Of real models, as TRL ships them."""
OF_IMAGES = [name for name in TEMPLATES if name.startswith(("idefics3", "llava_next", "smolvlm"))]
"""Their messages are lists of texts and images."""
KEPT_WHOLE = {"cohere": True, "llama3": True, "gemma": False, "qwen2_5": True, "qwen3_instruct_2507": True}
"""Templates that render an earlier reply as it was -> whether they have a system role."""
FIRST = Prompt("You are an agent.", "# The current state\nRoom: hall")
SECOND = "# The current state\nRoom: kitchen"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return AutoTokenizer.from_pretrained(save_house_model(tmp_path_factory.mktemp("tokenizer"), CHAT_TEMPLATE))


def conversation(tokenizer, template, reply="I go.\nAction: go kitchen", ending=""):
    tokenizer.chat_template = template
    encoder = ConversationEncoder(tokenizer, {}, [tokenizer.eos_token_id])
    said = tokenizer(reply + ending, add_special_tokens=False)["input_ids"]
    opening = encoder.opening(FIRST)
    return opening, said, encoder.between(said, SECOND)


@pytest.mark.parametrize("name", sorted(TEMPLATES.keys() - OF_IMAGES))
def test_every_template_that_trl_knows_holds_a_conversation(tokenizer, name):
    _, _, between = conversation(tokenizer, TEMPLATES[name])
    text = tokenizer.decode(between)
    assert text.count(SECOND) == 1 and "Action" not in text and FIRST.user not in text
    assert not text.startswith(SECOND)  # the reply is closed first, and the next one opened


@pytest.mark.parametrize("name", KEPT_WHOLE)
def test_a_conversation_reads_as_its_template_renders_it(tokenizer, name):
    opening, said, between = conversation(tokenizer, TEMPLATES[name])
    first = (
        [{"role": "system", "content": FIRST.system}, {"role": "user", "content": FIRST.user}]
        if KEPT_WHOLE[name]
        else [{"role": "user", "content": f"{FIRST.system}\n\n{FIRST.user}"}]
    )
    whole = [
        *first,
        {"role": "assistant", "content": tokenizer.decode(said)},
        {"role": "user", "content": SECOND},
    ]
    rendered = tokenizer.apply_chat_template(whole, tokenize=False, add_generation_prompt=True)
    assert tokenizer.decode(opening + said + between) == rendered


def test_a_reply_is_closed_once(tokenizer):
    template = CHAT_TEMPLATE.replace("<|end|>", "</s>")
    _, _, closed = conversation(tokenizer, template, ending="</s>")
    _, _, cut = conversation(tokenizer, template)
    assert cut == [tokenizer.eos_token_id, *closed]
    spaced = CHAT_TEMPLATE.replace("<|end|>", " </s>")
    _, _, closed = conversation(tokenizer, spaced, ending="</s>")
    assert tokenizer.eos_token_id not in closed[: len(closed) - 20]


def test_a_model_without_a_template_reads_plain_text(tokenizer):
    opening, _, between = conversation(tokenizer, None)
    assert tokenizer.decode(opening).endswith(FIRST.system + FIRST.user)
    assert tokenizer.decode(between) == f"\n\n{SECOND}\n"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        *((TEMPLATES[name], "pure text") for name in sorted(OF_IMAGES)),
        ("{{ messages[0]['content'] }}", "leaves out earlier replies"),
        ("{% if messages|length > 2 %}{{ raise_exception('one turn') }}{% endif %}{{ messages[0]['content'] }}", "one"),
    ],
)
def test_a_template_for_one_turn_is_refused(tokenizer, template, message):
    with pytest.raises(TrainingError, match=message):
        conversation(tokenizer, template)
