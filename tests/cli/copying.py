"""A model that copies: the page that a memory of the same action led to, else the current page.

It reads the chat format's prompt, as any instruction-tuned model behind an OpenAI-compatible server would.
"""

from __future__ import annotations

import json
import re

from dreamgym_env.testing.openai_server import Call, Reply, completion_reply

_MEMORY = re.compile(r"^Action: (.*)\nNext page \(M\d+\):\n(.*?)\nReward: ", re.MULTILINE | re.DOTALL)
_CURRENT = re.compile(r"^## Page C(?: \(current\))?\n(.*?)(?=\n\n#|\n\nAction: )", re.MULTILINE | re.DOTALL)


def copy_from_memory(call: Call) -> Reply:
    """Answer a call."""
    text = call.text
    action = text.rstrip().splitlines()[-1].lower()
    led_to = [page for past, page in _MEMORY.findall(text) if past.rpartition("\n")[2].lower() == action]
    current = _CURRENT.search(text)
    page = led_to[0] if led_to else current[1] if current else ""
    answer = {
        "reasoning": "A memory of this action shows it." if led_to else "Nobody has done this before.",
        "next_state": page,
        "reward": 0,
        "terminated": page.startswith("Thank you for shopping"),
    }
    return completion_reply(call, json.dumps(answer))
