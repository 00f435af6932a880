"""What is played next: originals, and at most a share of variations of the valuable ones; a restart loses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_domain import ToyHouse

from dreamgym_env.curriculum import Curriculum, InstructionClusters, TaskResult, TaskValues
from dreamgym_env.domains import load_domain
from dreamgym_env.errors import CurriculumError, UnknownTaskError
from dreamgym_env.types import Domain, Task, TaskSource


@pytest.fixture(scope="module")
def house() -> Domain:
    return load_domain("alfworld")


def outcome(task: Task, won: bool, score: float | None = None) -> TaskResult:
    return TaskResult(task.id, float(won), float(won) if score is None else score, won)


def play(curriculum: Curriculum, episodes: int, rng: np.random.Generator) -> list[Task]:
    """Draw tasks and tell what a middling agent makes of them: two attempts each, of which one may succeed."""
    played = []
    for _ in range(episodes):
        task = curriculum.draw(rng)
        played.append(task)
        curriculum.observe([outcome(task, True), outcome(task, bool(rng.integers(2)))])
    return played


def small(domain: Domain, **options: Any) -> Curriculum:
    return Curriculum(domain, **{"iteration": 16, "pool": 8, "values": TaskValues(4), **options})


def share_of(tasks: Iterable[Task]) -> float:
    parents = [bool(task.parent) for task in tasks]
    return sum(parents) / len(parents)


def test_it_is_a_source_of_tasks(house: Domain):
    assert isinstance(Curriculum(house), TaskSource)


def test_before_anything_is_known_originals_are_drawn_uniformly(house: Domain):
    curriculum, rng = Curriculum(house), np.random.default_rng(0)
    tasks = [curriculum.draw(rng) for _ in range(300)]
    assert share_of(tasks) == 0 and len({task.id for task in tasks}) > 280
    assert {task.split for task in tasks} == {"train"} and sum(curriculum.drawn.values()) == 300


@settings(max_examples=8, deadline=None)
@given(st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 0.77, 1.0]), st.integers(0, 3))
def test_variations_never_exceed_their_share_and_come_near_it(share: float, seed: int):
    curriculum, rng = small(load_domain("alfworld"), share=share), np.random.default_rng(seed)
    play(curriculum, 8, rng)
    assert bool(curriculum.variations) == (share > 0)
    drawn, varied = sum(curriculum.drawn.values()), 0
    for _ in range(40):
        task = curriculum.draw(rng)
        drawn, varied = drawn + 1, varied + bool(task.parent)
        assert varied <= share * drawn
        assert (sum(curriculum.drawn.values()), curriculum.variations_drawn) == (drawn, varied)
    assert varied >= int(share * 40)


def test_only_tasks_that_teach_something_are_varied(house: Domain):
    curriculum, rng = small(house), np.random.default_rng(1)
    tasks = [house.task(f"alfworld/train/{number}") for number in range(8)]
    mixed, hard, solved, hopeless = tasks[0], tasks[1], tasks[2], tasks[3]
    told = [outcome(mixed, True), outcome(mixed, False), outcome(solved, True), outcome(solved, True)]
    told += [outcome(hopeless, False), outcome(hopeless, False), outcome(hard, False, 0.5), outcome(hard, False, 0.0)]
    curriculum.observe(told * 2)
    assert curriculum.value(mixed.id) == 0.25 and curriculum.value(hard.id) == pytest.approx(0.05 * 0.95)
    assert curriculum.value(solved.id) == curriculum.value(hopeless.id) == 0
    assert {task.parent for task in curriculum.variations} == {mixed.id, hard.id}
    assert len(curriculum.variations) == 8 and rng is not None


def test_variations_of_variations_are_of_the_originals_family_and_the_ancestor_is_known(house: Domain):
    curriculum, rng = small(house, share=1.0), np.random.default_rng(2)
    play(curriculum, 60, rng)
    deeper = [task_id for task_id, ancestor in curriculum.ancestors.items() if ancestor in curriculum.ancestors]
    assert deeper
    originals = set(house.task_ids("train"))
    for task_id in curriculum.ancestors:
        root = task_id
        while root in curriculum.ancestors:
            root = curriculum.ancestors[root]
        assert root in originals and task_id.startswith(f"{root}~")
    assert all(task.parent in originals for task in curriculum.variations)


def test_variations_that_have_proved_worthless_go(house: Domain):
    curriculum, rng = small(house, share=1.0), np.random.default_rng(3)
    play(curriculum, 8, rng)
    first = curriculum.variations
    for task in first:
        curriculum.observe([outcome(task, True)] * 4)
    assert curriculum.variations and not {task.id for task in first} & {task.id for task in curriculum.variations}
    curriculum.observe([outcome(first[0], True)])  # one that was still under way
    assert curriculum.value(first[0].id) == 0


def test_originals_may_be_drawn_by_their_values(house: Domain):
    curriculum, rng = Curriculum(house, share=0, emphasis=0.5), np.random.default_rng(4)
    task = house.task("alfworld/train/7")
    curriculum.observe([outcome(task, True), outcome(task, False)])
    drawn = [curriculum.draw(rng).id for _ in range(200)]
    assert 70 < drawn.count(task.id) < 130


def test_tasks_that_read_alike_share_a_value_where_there_are_no_groups(house: Domain):
    curriculum = Curriculum(house, clusters=InstructionClusters(0.99))
    by_words: dict[str, list[Task]] = {}
    for task_id in house.task_ids("train"):
        task = house.task(task_id)
        by_words.setdefault(task.instruction, []).append(task)
    first, second = next(tasks for tasks in by_words.values() if len(tasks) > 1)[:2]
    curriculum.observe([outcome(first, True), outcome(second, False)])
    assert curriculum.value(first.id) == curriculum.value(second.id) == 0.25
    apart = Curriculum(house)
    apart.observe([outcome(first, True), outcome(second, False)])
    assert apart.value(first.id) == 0


def test_an_episode_that_was_cut_short_by_a_failure_says_nothing_of_the_agent(house: Domain):
    curriculum, task = Curriculum(house), house.task("alfworld/train/0")
    curriculum.observe([outcome(task, True), TaskResult(task.id, 0.0, 0.0, False, "The server is gone.")])
    assert curriculum.value(task.id) == 0


@pytest.mark.parametrize("clustered", [False, True])
def test_it_goes_on_from_its_state_as_if_nothing_had_happened(house: Domain, clustered: bool):
    def make() -> Curriculum:
        clusters = InstructionClusters() if clustered else None
        return small(house, share=0.5, emphasis=0.3, clusters=clusters)

    curriculum, rng = make(), np.random.default_rng(5)
    play(curriculum, 21, rng)  # in the middle of an iteration
    text, position = json.dumps(curriculum.state()), rng.bit_generator.state
    went_on = [task.id for task in play(curriculum, 30, rng)]
    again = make()
    again.restore(json.loads(text))
    assert json.dumps(again.state()) == text
    rng.bit_generator.state = position
    assert [task.id for task in play(again, 30, rng)] == went_on
    assert again.state() == curriculum.state()


def test_variations_are_never_made_twice_also_after_a_restart(house: Domain):
    curriculum, rng = small(house, share=1.0), np.random.default_rng(6)
    play(curriculum, 20, rng)
    again = small(house, share=1.0)
    again.restore(curriculum.state())
    before = dict(again.ancestors)
    for task in again.variations:
        again.observe([outcome(task, False)] * 4)
    play(again, 20, rng)
    marks = again.state()["known"]
    assert len(again.ancestors) > len(before) and len(marks) == len(set(marks)) == len(again.ancestors)


class TestBadInput:
    @pytest.mark.parametrize("name", ["share", "emphasis"])
    @pytest.mark.parametrize("value", [-0.1, 1.0001, float("nan"), True, "0.5", None])
    def test_a_share_outside_0_to_1_is_refused(self, house: Domain, name: str, value: Any):
        with pytest.raises(CurriculumError, match=f"{name} must be a number from 0 to 1"):
            Curriculum(house, **{name: value})

    @pytest.mark.parametrize("options", [{"iteration": 0}, {"pool": 0}, {"pool": 2.5}, {"iteration": True}])
    def test_a_number_that_is_none_is_refused(self, house: Domain, options: dict[str, Any]):
        with pytest.raises(CurriculumError, match="at least 1"):
            Curriculum(house, **options)

    def test_an_unknown_split_is_refused(self, house: Domain):
        with pytest.raises(UnknownTaskError, match="train, eval, test"):
            Curriculum(house, split="dev")

    def test_a_domain_that_knows_no_variations_says_so_and_draws_originals(self):
        with pytest.raises(CurriculumError, match=r"vary the tasks of 'toyhouse'.*share=0"):
            Curriculum(ToyHouse())
        assert Curriculum(ToyHouse(), share=0).draw(np.random.default_rng(0)).split == "train"

    @pytest.mark.parametrize("task_id", ["alfworld/test/0", "alfworld/train/0~000000000000", "nonsense"])
    def test_results_of_strange_tasks_are_refused(self, house: Domain, task_id: str):
        """Above all those of a test, whose variations would give the test away."""
        curriculum = Curriculum(house)
        with pytest.raises(CurriculumError, match="neither of the split 'train'"):
            curriculum.observe([TaskResult("alfworld/train/1", 1.0, 1.0, True), TaskResult(task_id, 0, 0, False)])
        assert curriculum.state() == Curriculum(house).state()

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"version": 99}, "version, domain and split"),
            ({"domain": "webshop"}, "webshop"),
            ({"split": "eval"}, "eval"),
            ({"clusters": []}, "clusters"),
            ({"pool": [{"id": 3}]}, "damaged"),
            ({"values": {"a": [["b"]]}}, "damaged"),
            ({"drawn": [1]}, "damaged"),
        ],
    )
    def test_a_state_that_does_not_fit_is_refused_and_nothing_changes(
        self, house: Domain, change: dict[str, Any], message: str
    ):
        curriculum = Curriculum(house)
        with pytest.raises(CurriculumError, match=message):
            curriculum.restore({**curriculum.state(), **change})
        with pytest.raises(CurriculumError, match="no state"):
            curriculum.restore({})
        assert curriculum.state() == Curriculum(house).state()
