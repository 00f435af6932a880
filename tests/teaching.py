"""A language model that explains steps, for tests: it reads the questions and answers as it was asked to."""

from __future__ import annotations

import json
import re

TUTORIAL = {"plan": "Search, open, buy.", "success_mode": "The order fits.", "failure_mode": "The order does not fit."}
_ASKED = re.compile(r"^Explain these steps, in this order: (.*)\Z", re.MULTILINE)


def asked_steps(user: str) -> list[int]:
    """The numbers of the steps that a question asks about; none for a question about a tutorial."""
    found = _ASKED.search(user)
    return [int(number) for number in found[1].split(", ")] if found else []


def explain(user: str) -> str:
    """Answer a question as a good teacher does; the traces depend on what the question shows."""
    numbers = asked_steps(user)
    if not numbers:
        return json.dumps(TUTORIAL)
    shown = re.findall(r"^## Step (\d+)$.*?^Action: (.*?)$.*?^Reward: (.*?)$", user, re.MULTILINE | re.DOTALL)
    assert [int(number) for number, _, _ in shown] == numbers
    return json.dumps(
        {
            "steps": [
                {
                    "step": int(number),
                    "toward": "success" if reward.startswith("1") else "failure",
                    "response": f"The environment answers {action}.",
                }
                for number, action, reward in shown
            ]
        }
    )
