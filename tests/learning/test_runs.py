"""Promises of a run: exact counts, checkpoints that are whole, and going on as if nothing had happened."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
import torch

from dreamgym_env.domains import load_domain
from dreamgym_env.errors import PolicyError, TrainingError
from dreamgym_env.learning.learner import DivergedError
from dreamgym_env.learning.loop import LearningRun
from dreamgym_env.learning.options import LearningOptions
from dreamgym_env.learning.run_folder import RunFolder
from dreamgym_env.policies.features import FeatureSettings
from dreamgym_env.policies.policy import Policy
from dreamgym_env.training.randomness import own_randomness

pytest.importorskip("sb3_contrib", reason='needs sb3-contrib: pip install "dreamgym_env[sb3]"')

REAL = LearningOptions(
    "webshop",
    steps=0,
    then_real=200,
    lanes=4,
    most_candidates=20,
    hyperparameters={"n_steps": 8, "batch_size": 32},
    evaluate_every=64,
    evaluation_tasks=4,
)


class Onlooker:
    """Keeps what it is shown, and ends the run after some steps."""

    def __init__(self, most=10**9):
        self.most, self.steps, self.episodes, self.phases, self.evaluations = most, 0, 0, [], []

    def begins(self, phase, env_id, progress, total):
        self.phases.append((phase, env_id, progress.steps[phase], total))

    def stepped(self, steps):
        self.steps += steps
        return self.steps < self.most

    def finished(self, result, length):
        self.episodes += 1

    def updated(self, figures): ...

    def evaluated(self, progress, evaluation):
        self.evaluations.append(evaluation)


def begin(options, path, onlooker=None):
    with RunFolder(path).claimed(options.to_json()) as folder:
        return LearningRun(options, folder, onlooker or Onlooker())


def weights(path):
    return Policy.load(path / "policy", load_domain("webshop")).scorer.state_dict()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole")
    onlooker = Onlooker()
    run = begin(REAL, path, onlooker)
    assert run.run()
    return run, path, onlooker


def test_real_transitions_are_counted_exactly_and_never_more_than_asked(whole):
    run, _, onlooker = whole
    learnt = run.progress.real_transitions["real"]
    assert learnt == run.progress.steps["real"] == onlooker.steps == 196  # 7 updates of 4 lanes, 7 steps each
    assert run.progress.steps["dream"] == run.progress.real_transitions["dream"] == 0
    assert run.progress.evaluation_transitions == sum(one.steps for one in onlooker.evaluations) > 0


def test_every_figure_names_the_real_environment(whole):
    run, path, _ = whole
    kept = json.loads((path / "progress.json").read_text())
    assert kept["curve"] == run.progress.curve
    assert {row["evaluation"]["env_id"] for row in kept["curve"]} == {"DreamGymReal/WebShop-v0"}
    assert [row["steps"] for row in kept["curve"]] == [0, 84, 168, 196]  # every 64, in whole updates


def test_two_checkpoints_are_kept_and_the_latest_is_the_policy(whole):
    _, path, _ = whole
    kept = sorted(one.name for one in (path / "checkpoints").iterdir())
    assert kept == ["000000168", "000000196"]
    latest = Policy.load(path / "checkpoints" / kept[-1] / "policy", load_domain("webshop")).scorer.state_dict()
    assert all(torch.equal(latest[name], value) for name, value in weights(path).items())


def test_a_run_that_was_killed_learns_the_same_as_one_that_was_not(whole, tmp_path):
    class KilledError(BaseException):
        pass

    class Killer(Onlooker):
        def stepped(self, steps):
            if not super().stepped(steps):
                raise KilledError  # as a signal would, in the middle of the second chunk
            return True

    with pytest.raises(KilledError):
        begin(REAL, tmp_path, Killer(most=120)).run()
    assert not list((tmp_path / "checkpoints").glob("*.partial"))
    onlooker = Onlooker()
    assert begin(REAL, tmp_path, onlooker).run()
    assert onlooker.phases == [("real", "DreamGymReal/WebShop-v0", 84, 196)]
    expected = weights(whole[1])
    assert all(torch.equal(expected[name], value) for name, value in weights(tmp_path).items())
    kept = json.loads((tmp_path / "progress.json").read_text())
    assert [row["evaluation"]["success"] for row in kept["curve"]] == [
        row["evaluation"]["success"] for row in whole[0].progress.curve
    ]


def test_a_run_that_is_asked_to_end_leaves_a_checkpoint_and_goes_on(tmp_path):
    first = begin(REAL, tmp_path, Onlooker(most=100))
    assert not first.run()
    assert first.progress.all_steps == 100
    assert (tmp_path / "checkpoints" / "000000100" / "progress.json").is_file()
    second = begin(REAL, tmp_path)
    assert second.run()
    assert 172 < second.progress.real_transitions["real"] <= 200


def test_an_end_that_is_asked_for_while_a_policy_is_evaluated_costs_nothing(whole, tmp_path):
    class Impatient(Onlooker):
        def evaluated(self, progress, evaluation):
            self.most = self.steps  # as by Ctrl-C

    for steps in (0, 84):
        run = begin(REAL, tmp_path, Impatient())
        assert not run.run()
        assert run.progress.all_steps == steps
    assert begin(REAL, tmp_path).run()
    expected = weights(whole[1])
    assert all(torch.equal(expected[name], value) for name, value in weights(tmp_path).items())


def test_a_finished_run_has_nothing_left_to_do(whole):
    _, path, _ = whole
    onlooker = Onlooker()
    assert begin(REAL, path, onlooker).run()
    assert onlooker.steps == 0


def test_a_run_with_other_options_is_not_gone_on_with(whole):
    with pytest.raises(TrainingError, match=r"another run \(seed was 0 and is 1\)"):
        begin(replace(REAL, seed=1), whole[1])


def test_overwriting_leaves_nothing_of_the_run_before(tmp_path):
    with RunFolder(tmp_path).claimed(REAL.to_json()) as folder:
        folder.note({})
        for name in ("report.html", "report.json"):
            (tmp_path / name).write_text("of the run before")
    with RunFolder(tmp_path).claimed(replace(REAL, seed=1).to_json(), overwrite=True):
        assert {one.name for one in tmp_path.iterdir()} == {"run.json", ".lock"}


def test_what_was_asked_for_in_vain_can_be_put_right(tmp_path):
    with pytest.raises(TrainingError, match="no hyper-parameter 'speed'"):
        begin(replace(REAL, hyperparameters={"speed": 3}), tmp_path).run()
    begin(REAL, tmp_path)
    assert json.loads((tmp_path / "run.json").read_text())["hyperparameters"] == REAL.hyperparameters


def test_a_run_that_was_killed_while_it_began_can_begin(tmp_path):
    (tmp_path / "run.partial").write_text('{"format"')
    begin(REAL, tmp_path)
    assert json.loads((tmp_path / "run.json").read_text())["seed"] == 0


def test_a_run_that_was_killed_while_it_replaced_the_policy_has_it_again(whole, tmp_path):
    path = tmp_path / "run"
    shutil.copytree(whole[1], path)
    shutil.rmtree(path / "policy")  # between a checkpoint, which is whole, and its policy
    assert begin(REAL, path).run()
    expected = weights(whole[1])
    assert all(torch.equal(expected[name], value) for name, value in weights(path).items())


def test_episodes_end_although_evaluations_come_sooner(tmp_path):
    grpo = {"algorithm": "grpo", "hyperparameters": {"group_size": 4}, "evaluate_every": 4, "evaluation_tasks": 1}
    onlooker = Onlooker()
    run = begin(replace(REAL, **grpo), tmp_path, onlooker)
    assert run.run()
    assert run.progress.real_transitions["real"] == onlooker.steps == 200
    assert onlooker.episodes >= 12  # of 15 steps at most; one step a lane is taken between evaluations otherwise


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    for overwrite in (False, True):
        with (
            pytest.raises(TrainingError, match=r"it holds thesis\.tex"),
            RunFolder(tmp_path).claimed(REAL.to_json(), overwrite=overwrite),
        ):
            pass
    assert (tmp_path / "thesis.tex").exists()


def test_two_processes_do_not_learn_in_one_folder(tmp_path):
    with (
        RunFolder(tmp_path).claimed(REAL.to_json()),
        pytest.raises(TrainingError, match="Another process"),
        RunFolder(tmp_path).claimed(REAL.to_json()),
    ):
        pass


def test_divergence_keeps_the_policy_from_before(tmp_path):
    options = replace(REAL, hyperparameters={**REAL.hyperparameters, "learning_rate": 1e30})
    run = begin(options, tmp_path)
    with pytest.raises(DivergedError):
        run.run()
    assert all(bool(torch.isfinite(value).all()) for value in weights(tmp_path).values())


def test_a_policy_of_another_domain_is_refused(tmp_path):
    with own_randomness(0):
        Policy(load_domain("alfworld"), FeatureSettings(("go",))).save(tmp_path / "house")
    with pytest.raises(PolicyError, match="holds a policy for 'alfworld', and not for 'webshop'"):
        begin(replace(REAL, start=str(tmp_path / "house")), tmp_path / "run").run()


def test_a_policy_that_is_gone_on_from_keeps_its_weights(whole, tmp_path):
    options = replace(REAL, start=str(whole[1] / "policy"), then_real=32, evaluation_tasks=0)
    run = begin(options, tmp_path)
    assert run.run()
    start = Policy.load(tmp_path / "start", load_domain("webshop")).scorer.state_dict()
    assert all(torch.equal(start[name], value) for name, value in weights(whole[1]).items())
    assert run.progress.curve == []  # no evaluation was asked for, so that there is no figure
