"""What a recorded step teaches: its own reason where it has one, else the rules'."""

from __future__ import annotations

from dataclasses import replace

import pytest
from toy_domain import record

from dreamgym_env.domains.alfworld.teaching import explain, teach


@pytest.mark.parametrize("reasoning", ["", "A teacher said so."])
def test_a_trace_that_somebody_wrote_is_kept(reasoning: str):
    step = replace(record("toyhouse/train/0", ["look"])[0], reasoning=reasoning)
    assert teach(step, []) == replace(step, reasoning=reasoning or explain(step))
