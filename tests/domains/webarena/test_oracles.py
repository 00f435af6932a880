"""Every bundled task can be solved: its oracle does, over plain HTTP, and nothing else scores by accident."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from plain_browser import PlainBrowser

pytest.importorskip("starlette", reason="needs the bundled sites: pip install 'dreamgym_env[webarena]'")

from dreamgym_env.domains.webarena.sites import Lane, Sites, resolve_url
from dreamgym_env.domains.webarena.tasks import bundled_ids, bundled_task, evaluate
from dreamgym_env.domains.webarena.tasks.shipped import SPLITS

IDS = [task_id for split in SPLITS for task_id in bundled_ids(split)]


@pytest.fixture(scope="module")
def lane() -> Iterator[Lane]:
    with Sites() as sites:
        yield sites.lanes[0]


@pytest.fixture(scope="module")
def browser(lane: Lane) -> Iterator[PlainBrowser]:
    browser = PlainBrowser(lane)
    yield browser
    browser.close()


@pytest.mark.parametrize("task_id", IDS)
def test_the_oracle_solves_its_task_and_idleness_does_not(lane: Lane, browser: PlainBrowser, task_id: str):
    task = bundled_task(task_id)
    lane.reset()
    start = resolve_url(task.start_url)
    assert evaluate(task, "", start, lane) == 0
    assert evaluate(task, "Done.", start, lane) == 0
    browser.goto(start)
    browser.play(task.oracle)
    assert browser.status == 200
    assert evaluate(task, browser.answer, browser.url, lane) == 1
    if task.eval["eval_types"] == ["string_match"]:
        assert evaluate(task, "It is 987654321, by Nobody, in Atlantis.", browser.url, lane) == 0
