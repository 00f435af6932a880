"""A model that copies: the page that a memory of the same action led to, else what the first memory led to.

It reads the chat format's prompt, as any instruction-tuned model behind an OpenAI-compatible server would.
"""

from __future__ import annotations

import json
import re

from dreamgym_env.testing.openai_server import Call, Reply, completion_reply

_MEMORY = re.compile(r"^Action: (.*)\nNext page \(M\d+\):\n(.*?)\nReward: ", re.MULTILINE | re.DOTALL)


def copy_from_memory(call: Call) -> Reply:
    """Answer a call."""
    action = call.text.rstrip().splitlines()[-1].lower()
    memories = [(past.rpartition("\n")[2].lower(), page) for past, page in _MEMORY.findall(call.text)]
    same = [page for past, page in memories if past == action]
    page = next(iter([*same, *(page for _, page in memories)]), "Nothing is known of this page.")
    answer = {
        "reasoning": f"{len(same)} memories of this very action show it.",
        "next_state": page,
        "reward": 0,
        "terminated": page.startswith("Thank you for shopping"),
    }
    return completion_reply(call, json.dumps(answer))
