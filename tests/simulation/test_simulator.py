"""The simulator: guard, replay, memo, model; grounded, consistent, honest and unbreakable (README: "promises")."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from scripted import ScriptedWorldModel, copying_model, failing_model, house_model
from toy_domain import NOTHING, ToyHouse, play, record

from dreamgym_env.errors import WorldModelError
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.simulation.episode import Episode, Outcome
from dreamgym_env.simulation.simulator import SimulationOptions, Simulator
from dreamgym_env.types import (
    AnsweredBy,
    Composer,
    Memory,
    Prediction,
    Query,
    Source,
    StopReason,
    Task,
    Transition,
    Turn,
    Verdict,
    Verifier,
    WorldModel,
)
from dreamgym_env.world_model.compact import CompactFormat
from dreamgym_env.world_model.generators.scripted import ScriptedGenerator
from dreamgym_env.world_model.language import LanguageWorldModel

TASK = "toyhouse/train/0"  # find the key, which lies in the kitchen
OTHER = "toyhouse/train/4"  # the same thing in the same place, another instruction
MODEL, MEMO, REPLAY, GUARD = AnsweredBy.MODEL, AnsweredBy.MEMO, AnsweredBy.REPLAY, AnsweredBy.GUARD
Make = Callable[..., Simulator]


@pytest.fixture
def make() -> Iterator[Make]:
    """Build simulators of the house; they are closed after the test."""
    built: list[Simulator] = []

    def _make(
        model: WorldModel | None = None,
        experience: Sequence[Transition] = (),
        domain: ToyHouse | None = None,
        **options: Any,
    ) -> Simulator:
        domain = domain or ToyHouse()
        buffer = ReplayBuffer(domain, seed_experience=False)
        if experience:
            buffer.add(experience)
        built.append(Simulator(domain, model or house_model(domain), buffer, SimulationOptions(**options)))
        return built[-1]

    yield _make
    for simulator in built:
        simulator.close()


def begin(simulator: Simulator, *task_ids: str, seed: int = 0) -> list[Episode]:
    tasks = [simulator.domain.task(task_id) for task_id in task_ids or (TASK,)]
    return simulator.begin(tasks, [seed + lane for lane in range(len(tasks))])


def run(simulator: Simulator, actions: Sequence[str], task_id: str = TASK, seed: int = 0) -> list[Outcome]:
    (episode,) = begin(simulator, task_id, seed=seed)
    return [simulator.advance([episode], [action])[0] for action in actions]


class TestStages:
    """Guard, replay and memo save model calls, in this order; each can be switched off."""

    def test_an_action_that_is_not_offered_gets_the_domains_answer(self, make: Make):
        model = house_model()
        outcome = run(make(model), ["fly to the moon"])[0]
        assert (outcome.answered_by, outcome.transition.next_state) == (GUARD, NOTHING)
        assert not outcome.transition.valid and outcome.transition.reward == 0.0
        assert model.asked == 0

    def test_without_the_guard_the_model_is_asked_and_the_action_is_still_invalid(self, make: Make):
        model = house_model()
        outcome = run(make(model, guard=False), ["fly to the moon"])[0]
        assert outcome.answered_by is MODEL and not outcome.transition.valid
        assert model.asked == 1

    def test_the_recorded_outcome_of_the_same_actions_is_the_answer(self, make: Make):
        model = failing_model()
        outcomes = run(make(model, record(TASK, ["go kitchen", "take key"])), ["go kitchen", "take key"])
        assert [outcome.answered_by for outcome in outcomes] == [REPLAY, REPLAY]
        assert outcomes[-1].stop is StopReason.SUCCESS and outcomes[-1].transition.reward == 1.0
        assert model.asked == 0

    @pytest.mark.parametrize("way", [["look", "go kitchen"], ["GO  Kitchen"]])
    def test_replay_needs_the_same_actions_so_far(self, make: Make, way: list[str]):
        outcomes = run(make(experience=record(TASK, ["go kitchen"])), way)
        assert outcomes[-1].answered_by is (MODEL if len(way) > 1 else REPLAY), "only the writing may differ"

    def test_replay_is_for_the_same_task_only(self, make: Make):
        outcome = run(make(experience=record(OTHER, ["go kitchen"])), ["go kitchen"])[0]
        assert outcome.answered_by is MODEL

    def test_replay_can_be_switched_off(self, make: Make):
        outcome = run(make(experience=record(TASK, ["go kitchen"]), replay=False), ["go kitchen"])[0]
        assert outcome.answered_by is MODEL

    def test_the_same_question_gets_the_same_answer_for_nothing(self, make: Make):
        model = house_model()
        simulator = make(model)
        first, again = (run(simulator, ["go kitchen"], seed=seed)[0] for seed in (1, 2))
        assert (first.answered_by, again.answered_by) == (MODEL, MEMO)
        assert again.transition.next_state == first.transition.next_state and again.memories == first.memories
        assert (first.prompt_tokens, again.prompt_tokens, again.completion_tokens) == (7, 0, 0)
        assert model.asked == 1

    def test_another_way_to_the_same_page_is_another_question(self, make: Make):
        simulator = make()
        run(simulator, ["go kitchen"])
        assert [outcome.answered_by for outcome in run(simulator, ["look", "go kitchen"])] == [MODEL, MODEL]

    @pytest.mark.parametrize("off", ["option", "sampling model"])
    def test_the_memo_can_be_switched_off_and_is_off_for_models_that_sample(self, make: Make, off: str):
        simulator = make(house_model(deterministic=off != "sampling model"), memo=off != "option")
        assert [run(simulator, ["look"], seed=seed)[0].answered_by for seed in (1, 2)] == [MODEL, MODEL]

    def test_guard_goes_before_replay_before_memo_before_model(self, make: Make):
        experience = record(TASK, ["fly"])
        assert run(make(experience=experience), ["fly"])[0].answered_by is GUARD
        assert run(make(experience=experience, guard=False), ["fly"])[0].answered_by is REPLAY
        unrecorded = make(experience=experience, guard=False, replay=False)
        assert [run(unrecorded, ["fly"])[0].answered_by for _ in range(2)] == [MODEL, MEMO]

    def test_a_batch_is_one_retrieval_and_one_prediction(self, make: Make, monkeypatch: pytest.MonkeyPatch):
        model = house_model()
        simulator = make(model, record("toyhouse/train/2", ["go kitchen"]))
        searches: list[int] = []
        search = simulator.buffer.retrieve
        monkeypatch.setattr(
            simulator.buffer,
            "retrieve",
            lambda queries, k, **rules: searches.append(len(queries)) or search(queries, k),
        )
        ids = [f"toyhouse/train/{n}" for n in range(6)]
        actions = ["go kitchen", "fly", "go kitchen", "go cellar", "leave", "go cellar"]
        outcomes = simulator.advance(begin(simulator, *ids), actions)
        answers = [outcome.answered_by for outcome in outcomes]
        assert answers == [MODEL, GUARD, REPLAY, MODEL, MODEL, MODEL]
        assert searches == [4] and list(map(len, model.batches)) == [4]

    def test_a_batch_answers_as_one_after_the_other_would(self, make: Make):
        ids = [f"toyhouse/train/{n}" for n in range(6)]
        plan = ["look", "go kitchen", "go cellar", "take key", "leave", "fly"]
        one_by_one, together = make(), make()
        alone = [one_by_one.advance(begin(one_by_one, task_id), [plan[n]])[0] for n, task_id in enumerate(ids)]
        episodes = together.begin([together.domain.task(task_id) for task_id in ids], [0] * 6)
        for single, batched in zip(alone, together.advance(episodes, plan), strict=True):
            assert replace(single, seconds=0.0) == replace(batched, seconds=0.0)

    def test_sampling_depends_on_the_episodes_seed_and_step_alone(self, make: Make):
        seeds: list[int] = []

        def answer(query: Query, memories: Sequence[Memory], seed: int) -> Prediction:
            seeds.append(seed)
            return Prediction("", "Room: hall", 0.0, False)

        simulator = make(ScriptedWorldModel(answer, deterministic=False))
        for seed in (7, 7, 8):
            run(simulator, ["say a", "say b"], seed=seed)
        assert seeds[:2] == seeds[2:4] and len(set(seeds)) == 4
        episodes = simulator.begin([simulator.domain.task(TASK)] * 2, [8, 7])
        simulator.advance(episodes, ["say a", "say a"])
        assert seeds[-2:] == [seeds[4], seeds[0]], "neither the place in the batch nor the action counts"

    def test_the_step_limit_truncates(self, make: Make):
        simulator = make()
        (episode,) = begin(simulator)
        stops = [simulator.advance([episode], ["look"], step_limit=3)[0].stop for _ in range(3)]
        assert stops == [StopReason.RUNNING, StopReason.RUNNING, StopReason.STEP_LIMIT]
        assert simulator.available_actions(episode) == ()
        with pytest.raises(ValueError, match="has stopped"):
            simulator.advance([episode], ["look"])

    def test_a_success_at_the_limit_is_a_success(self, make: Make):
        simulator = make()
        (episode,) = begin(simulator)
        simulator.advance([episode], ["go kitchen"], step_limit=2)
        assert simulator.advance([episode], ["take key"], step_limit=2)[0].stop is StopReason.SUCCESS


class TestGrounded:
    """What the buffer holds about the same state and action shapes the answer."""

    def test_without_the_decisive_memory_the_outcome_is_another(self, make: Make):
        decisive = record(OTHER, ["go kitchen"])
        beside = record("toyhouse/train/1", ["go cellar", "take lamp"])
        with_it = run(make(copying_model(), [*beside, *decisive]), ["go kitchen"])[0]
        without = run(make(copying_model(), beside), ["go kitchen"])[0]
        assert with_it.transition.next_state == record(TASK, ["go kitchen"])[0].next_state
        assert without.transition.next_state != with_it.transition.next_state
        assert with_it.memories[0].transition == decisive[0]

    def test_a_page_of_another_task_serves_this_one_in_its_own_words(self, make: Make):
        outcome = run(make(copying_model(), record(OTHER, ["go kitchen", "take key"])), ["go kitchen"])[0]
        assert "task 0 of train" in outcome.transition.next_state
        assert "task 4 of train" not in outcome.transition.next_state

    def test_at_most_k_memories_ground_a_prediction(self, make: Make):
        experience = [step for n in range(1, 9) for step in record(f"toyhouse/train/{n}", ["go kitchen", "look"])]
        for k in (0, 1, 3):
            assert len(run(make(copying_model(), experience, k=k), ["go kitchen"])[0].memories) == k

    def test_a_composed_memory_comes_first(self, make: Make):
        composed = Memory("composed", record(OTHER, ["look"])[0], 0.0)

        class Composing(ToyHouse):
            def composer(self, experience: Callable[[], Iterator[Transition]]) -> Composer:
                class One:
                    def compose(self, query: Query, memories: Sequence[Memory], **leaks: bool) -> Memory | None:
                        return composed if query.action == "look" else None

                return One()

        simulator = make(copying_model(), record(OTHER, ["go kitchen"]), Composing(), k=1)
        look, go = run(simulator, ["look", "go kitchen"])
        assert look.memories == (composed,)
        assert go.memories[0].transition.action == "go kitchen"

    def test_an_empty_buffer_is_no_error(self, make: Make):
        assert run(make(copying_model()), ["go kitchen"])[0].transition.next_state == "Fog."


class TestConsistent:
    """A page that was seen before in the episode is the same page."""

    def test_a_page_seen_twice_is_the_same_page(self, make: Make):
        """The model names the earlier page; what comes back is that page, word for word."""
        domain = ToyHouse()
        answers = iter(
            ["<|state|>+ Room: kitchen\n+ Exit: hall, \\{odd} <|outcome|>continue", "<|state|>P1<|outcome|>continue"]
        )
        generator = ScriptedGenerator(lambda prompt: f"So it is.{next(answers)}")
        simulator = make(LanguageWorldModel(CompactFormat(domain), generator), domain=domain, guard=False)
        (episode,) = begin(simulator)
        start = episode.state
        simulator.advance([episode], ["go kitchen"])
        assert episode.state == "Room: kitchen | Exit: hall, {odd} "
        simulator.advance([episode], ["go hall"])
        assert episode.state == start

    def test_what_the_episode_has_shown_is_not_the_models_to_change(self, make: Make):
        """A memory that is certain is the answer, whatever the model makes of it; a failure stays a failure."""

        class Remembering(ToyHouse):
            def composer(self, experience: Callable[[], Iterator[Transition]]) -> Composer:
                class Shown:
                    def compose(self, query: Query, memories: Sequence[Memory], **leaks: bool) -> Memory | None:
                        page = next((turn.state for turn in query.history), None)
                        past = replace(record(OTHER, ["look"])[0], next_state=page or "")
                        return Memory("shown", past, 1.0, certain=True) if page else None

                return Shown()

        fog = ScriptedWorldModel(lambda query, memories, seed: Prediction("Fog comes up.", "Fog.", 0.0, False))
        simulator = make(fog, domain=Remembering(), guard=False)
        (episode,) = begin(simulator)
        start = episode.state
        simulator.advance([episode], ["go kitchen"])
        assert episode.state == "Fog."
        simulator.advance([episode], ["go hall"])
        assert episode.state == start
        fog.answer = failing_model().answer
        assert simulator.advance([episode], ["go kitchen"])[0].stop is StopReason.MODEL_FAILURE

    def test_the_model_is_told_the_whole_history(self, make: Make):
        model = house_model()
        outcomes = run(make(model), ["go kitchen", "fly", "take key"])
        history = model.batches[-1][0].history
        assert history == outcomes[-1].transition.history
        assert [turn.action for turn in history] == ["go kitchen", "fly"]
        assert history[1] == Turn(outcomes[0].transition.next_state, "fly")
        assert outcomes[-1].stop is StopReason.SUCCESS


def eager_model() -> ScriptedWorldModel:
    """A model that agrees with everything: any action succeeds."""
    return ScriptedWorldModel(lambda query, memories, seed: Prediction("Well done!", "You win!", 1.0, True))


class TestHonest:
    """Success is what the verifier says; evaluations learn nothing and are told nothing of their own task."""

    def test_the_verifier_decides_success(self, make: Make):
        outcome = run(make(eager_model()), ["look"])[0]
        assert (outcome.transition.reward, outcome.transition.terminated) == (0.0, False)
        assert outcome.stop is StopReason.RUNNING

    def test_the_verifier_ends_what_the_model_would_go_on_with(self, make: Make):
        outcome = run(make(), ["leave"])[0]
        assert outcome.stop is StopReason.FAILURE
        assert (outcome.transition.reward, outcome.transition.score) == (0.0, 0.25)

    def test_the_models_word_counts_if_the_user_says_so(self, make: Make):
        outcome = run(make(eager_model(), success="model"), ["look"])[0]
        assert outcome.stop is StopReason.SUCCESS and outcome.transition.reward == 1.0

    def test_the_models_word_counts_where_there_is_no_verifier(self, make: Make):
        class Unverified(ToyHouse):
            def verifier(self) -> Verifier | None:
                return None

        assert run(make(eager_model(), domain=Unverified()), ["look"])[0].stop is StopReason.SUCCESS

    def test_the_guards_answer_is_never_a_success(self, make: Make):
        outcome = run(make(eager_model(), success="model"), ["fly"])[0]
        assert outcome.stop is StopReason.RUNNING and outcome.transition.reward == 0.0

    def test_any_other_judge_is_refused(self, make: Make):
        with pytest.raises(ValueError, match="'verifier' or 'model'"):
            make(success="luck")

    def test_an_evaluation_sees_nothing_of_its_own_task(self, make: Make):
        experience = [*record(TASK, ["go kitchen"]), *record("toyhouse/train/1", ["go cellar"])]
        for evaluation, answered in ((False, REPLAY), (True, MODEL)):
            outcome = run(make(copying_model(), experience, evaluation=evaluation), ["go kitchen"])[0]
            assert outcome.answered_by is answered
            assert all(memory.transition.task_id != TASK for memory in outcome.memories)
        assert outcome.memories, "other tasks may be remembered"

    def test_an_episode_never_remembers_its_own_future(self, make: Make):
        """The same task with the same seed is the same episode again: what it dreamt later is not yet known."""
        simulator = make(house_model(deterministic=False), enrich=True)
        actions = ["go kitchen", "go hall", "go cellar", "go hall"]
        run(simulator, actions, seed=3)
        assert len(simulator.buffer) == 4
        for at, outcome in enumerate(run(simulator, actions, seed=3)):
            own = [m.transition.step for m in outcome.memories if m.transition.episode == outcome.transition.episode]
            assert all(step < at for step in own)
        other = run(simulator, actions, seed=4)[0]
        assert other.memories, "another episode may learn from it"


class TestEnrichment:
    """Only what the model itself dreamt, and what is valid, goes back into the buffer."""

    def test_dreams_are_not_kept_unless_asked_for(self, make: Make):
        simulator = make()
        run(simulator, ["go kitchen", "take key"])
        assert len(simulator.buffer) == 0

    def test_the_models_valid_answers_are_kept_as_dreams(self, make: Make):
        simulator = make(experience=record(OTHER, ["look"]), enrich=True)
        outcomes = run(simulator, ["go kitchen", "fly", "take key"])
        kept = [step for step in simulator.buffer.experience() if step.source is Source.DREAM]
        assert [step.action for step in kept] == ["go kitchen", "take key"]
        assert kept == [outcomes[0].transition, outcomes[2].transition]

    def test_invalid_answers_are_not_kept_without_the_guard_either(self, make: Make):
        simulator = make(enrich=True, guard=False)
        run(simulator, ["fly"])
        assert len(simulator.buffer) == 0

    def test_replays_and_memos_are_not_kept_again(self, make: Make):
        simulator = make(experience=record(TASK, ["go kitchen"]), enrich=True)
        for seed in (1, 2):
            run(simulator, ["go kitchen", "go hall"], seed=seed)
        assert simulator.buffer.stats()["dream"] == 1

    def test_failures_are_not_kept(self, make: Make):
        simulator = make(failing_model(), enrich=True)
        run(simulator, ["go kitchen"])
        assert len(simulator.buffer) == 0

    def test_unconfirmed_success_is_not_kept(self, make: Make):
        simulator = make(eager_model(), enrich=True, success="model")
        run(simulator, ["look"])
        assert len(simulator.buffer) == 0

    def test_a_frozen_buffer_stays_as_it_is(self, make: Make):
        simulator = make(enrich=True)
        simulator.buffer.freeze()
        run(simulator, ["go kitchen"])
        assert len(simulator.buffer) == 0


class TestUnbreakable:
    """A failing model costs an episode, a vanished one a step, and neither earns anything."""

    def test_an_unreadable_answer_truncates_with_the_reason(self, make: Make):
        simulator = make(failing_model("It was a refusal."))
        (episode,) = begin(simulator)
        before = episode.state
        outcome = simulator.advance([episode], ["go kitchen"])[0]
        assert (outcome.stop, outcome.failure) == (StopReason.MODEL_FAILURE, "It was a refusal.")
        assert (outcome.transition.reward, outcome.transition.terminated) == (0.0, False)
        assert episode.state == before

    @pytest.mark.parametrize("success", ["verifier", "model"])
    def test_a_failure_is_no_reward_whatever_it_claims(self, make: Make, success: str):
        model = ScriptedWorldModel(lambda query, memories, seed: Prediction("", "x", 1.0, True, failure="half"))
        outcome = run(make(model, success=success), ["look"])[0]
        assert (outcome.transition.reward, outcome.transition.terminated) == (0.0, False)
        assert outcome.stop is StopReason.MODEL_FAILURE

    def test_a_failure_is_not_remembered_as_the_answer(self, make: Make):
        model = failing_model()
        simulator = make(model)
        run(simulator, ["look"])
        model.answer = house_model().answer
        assert run(simulator, ["look"])[0].answered_by is MODEL

    def test_a_failure_of_one_episode_does_not_touch_the_others(self, make: Make):
        def answer(query: Query, memories: Sequence[Memory], seed: int) -> Prediction:
            failure = "garbage" if query.task.id == TASK else ""
            return Prediction(
                "", play(ToyHouse(), query.task, query.history, query.state, query.action), 0, False, failure
            )

        simulator = make(ScriptedWorldModel(answer))
        episodes = begin(simulator, TASK, OTHER)
        outcomes = simulator.advance(episodes, ["go kitchen"] * 2)
        assert [outcome.stop for outcome in outcomes] == [StopReason.MODEL_FAILURE, StopReason.RUNNING]

    @pytest.mark.parametrize("error", [WorldModelError("The server stays away."), RuntimeError("a bug")])
    def test_when_the_engine_fails_no_episode_is_changed_and_a_later_step_works(self, make: Make, error: Exception):
        def vanish(query: Query, memories: Sequence[Memory], seed: int) -> Prediction:
            raise error

        model = ScriptedWorldModel(vanish)
        simulator = make(model, enrich=True)
        episodes = begin(simulator, TASK, OTHER, "toyhouse/train/1")
        before = [replace(episode, history=list(episode.history)) for episode in episodes]
        actions = ["go kitchen", "fly", "go cellar"]
        with pytest.raises(type(error), match=str(error)):
            simulator.advance(episodes, actions)
        assert episodes == before and len(simulator.buffer) == 0
        model.answer = house_model().answer
        assert [outcome.answered_by for outcome in simulator.advance(episodes, actions)] == [MODEL, GUARD, MODEL]

    def test_when_the_verifier_fails_no_episode_is_changed(self, make: Make):
        class Broken(ToyHouse):
            def verifier(self) -> Verifier:
                class Failing:
                    def check(self, task: Task) -> None: ...

                    def verify(self, task: Any, history: Any, state: Any, action: str, next_state: Any) -> Verdict:
                        if action == "go cellar":
                            raise KeyError(action)
                        return Verdict(False, False, 0.0)

                return Failing()

        simulator = make(domain=Broken())
        episodes = begin(simulator, TASK, OTHER)
        with pytest.raises(KeyError):
            simulator.advance(episodes, ["go kitchen", "go cellar"])
        assert [episode.step for episode in episodes] == [0, 0]

    def test_closing_closes_model_and_buffer_twice_if_need_be(self, make: Make):
        model = house_model()
        simulator = make(model)
        simulator.close()
        simulator.close()
        assert model.closed == 2
