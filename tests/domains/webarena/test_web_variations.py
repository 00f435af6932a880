"""Other instances of the bundled templates: their oracles solve them, and both the dream and the sites judge them."""

from __future__ import annotations

import numpy as np
import pytest
from browsers import needs_browser
from plain_pages import PlainPages, play

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.variations import variation_rules_of
from dreamgym_env.domains.webarena.agents import AGENTS
from dreamgym_env.domains.webarena.domain import WebArena
from dreamgym_env.domains.webarena.real import RealWebArena
from dreamgym_env.domains.webarena.tasks import bundled_task
from dreamgym_env.errors import ResetOptionError
from dreamgym_env.types import StopReason, Task

DOMAIN = WebArena()
VERIFIER = DOMAIN.verifier()
RULES = variation_rules_of(DOMAIN)
ORIGINALS = {bundled_task(task_id).intent_template: task_id for task_id in DOMAIN.task_ids("train")}
"""A task of each template of the train split."""


def varied(task_id: str, attempts: int = 12) -> Task | None:
    assert RULES is not None
    found = (RULES.propose(DOMAIN.task(task_id), Draws(seed)) for seed in range(attempts))
    return next((task for task in found if task is not None), None)


def test_nearly_every_template_has_more_instances():
    made = [varied(task_id) for task_id in ORIGINALS.values()]
    assert sum(task is not None for task in made) > 0.8 * len(ORIGINALS)


def test_the_oracle_of_a_variation_solves_it_and_not_the_original():
    assert VERIFIER is not None
    pages = PlainPages()
    for task in filter(None, map(varied, list(ORIGINALS.values())[::4])):
        *_, last = play(pages, task, AGENTS["oracle"](DOMAIN), "oracle", np.random.default_rng(0))
        assert last.reward == 1.0, task
        for one, right in ((task, True), (DOMAIN.task(task.parent), False)):
            said = VERIFIER.verify(one, last.history, last.state, last.action, last.next_state)
            assert said.terminated and (said.success == right or one.goal["eval"] == task.goal["eval"])


def test_nobody_knows_what_other_sites_hold():
    assert variation_rules_of(WebArena(sites="webarena")) is None
    assert RULES is not None
    assert RULES.propose(Task("mine", "webarena", "Do it.", ""), Draws(0)) is None
    assert RULES.reworded(DOMAIN.task("webarena/train/0"), "What does it cost?") is None


@needs_browser
def test_the_real_sites_judge_a_variation_by_its_own_goal():
    pytest.importorskip("uvicorn", reason="needs the bundled sites: pip install 'dreamgym_env[webarena]'")
    task = varied("webarena/train/0")
    assert task is not None
    backend = RealWebArena(DOMAIN, workers=1)
    try:
        for oracles, stop in ((task, StopReason.SUCCESS), (DOMAIN.task(task.parent), StopReason.FAILURE)):
            (episode,) = backend.begin([task], [0])
            assert episode.state == task.initial_state
            agent = AGENTS["oracle"](DOMAIN)
            agent.begin(oracles, np.random.default_rng(0))
            while episode.stop is StopReason.RUNNING:
                backend.advance([episode], [agent.act(episode.state, backend.available_actions(episode))], 30)
            assert episode.stop is stop
        with pytest.raises(ResetOptionError, match="cannot be judged"):
            backend.begin([Task("mine", "webarena", "x", "x", goal={"eval": {}}, parent="webarena/train/0")], [0])
    finally:
        backend.close()
