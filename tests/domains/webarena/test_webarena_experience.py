"""What is shipped of the bundled sites was seen in the train split, by agents that looked at all of them."""

from __future__ import annotations

import pytest

from dreamgym_env.domains.browser.texts import url_of
from dreamgym_env.domains.webarena.domain import WebArena
from dreamgym_env.memory.experience import read_transitions
from dreamgym_env.types import Transition

DOMAIN = WebArena()


@pytest.fixture(scope="module")
def steps() -> list[Transition]:
    path = DOMAIN.seed_experience()
    if not path:
        pytest.skip("no experience is shipped")
    return read_transitions(path)


def test_it_is_of_the_train_split_and_has_reasons(steps: list[Transition]):
    assert {step.split for step in steps} == {"train"} and {step.source.value for step in steps} == {"real"}
    assert {step.task_id for step in steps} <= set(DOMAIN.task_ids("train"))
    assert all(step.reasoning for step in steps) and any(step.reward > 0 for step in steps)


def test_every_site_was_looked_at(steps: list[Transition]):
    hosts = {url_of(step.next_state).partition("://")[2].partition("/")[0] for step in steps}
    assert hosts >= {"shop.test", "shop-admin.test", "forum.test", "code.test", "map.test"}


def test_its_pages_are_lines_that_give_the_page_again(steps: list[Transition]):
    for step in steps[::10]:
        assert DOMAIN.render(DOMAIN.segment(step.state, step.instruction), step.instruction) == step.state


def test_no_page_was_missed_for_the_machines_load(steps: list[Transition]):
    """A click or a text that there was no time for would teach the dream an error that nothing on the page explains."""
    assert not [step.episode for step in steps if "\nError: TimeoutError" in step.next_state]
