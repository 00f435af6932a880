"""The transitions of a file on their way to being explained: what has a trace, what is asked next, what is kept."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dreamgym_env.errors import ExperienceFormatError
from dreamgym_env.memory.experience import read_transitions
from dreamgym_env.training.teachers import Teacher, Trajectory
from dreamgym_env.training.unfinished import UnfinishedFile
from dreamgym_env.types import Transition

__all__ = ["Annotation"]


class Annotation:
    """The transitions of a file with the traces they have so far."""

    def __init__(self, file: UnfinishedFile, transitions: Sequence[Transition], *, replace_reasoning: bool) -> None:
        """Begin with the traces that the transitions carry, unless those are to be replaced."""
        self.file = file
        self._transitions = transitions
        self._traces = ["" if replace_reasoning else step.reasoning for step in transitions]
        self.kept = sum(map(bool, self._traces))
        """How many transitions carry the trace that they came with."""
        self._episodes = _episodes(transitions)

    def open(self, source: Path, batch: int, *, resume: bool) -> int:
        """Take over the traces that an earlier run left; return how many episodes they explain.

        Args:
            source: where the transitions come from, for a message.
            batch: the episodes that are asked at once; a batch that was left incomplete is asked again as a whole.
            resume: whether to look for what was left at all.

        Raises:
            ExperienceFormatError: what is there was made of other transitions, or with other settings.
        """
        found = self.file.find(resume=resume)
        if found is None:
            return 0
        earlier = read_transitions(found)
        complete, total = self.file.complete, len(self._transitions)
        order = range(total) if complete else list(itertools.chain.from_iterable(self._episodes))
        fits = len(earlier) == total if complete else len(earlier) <= total
        if not fits or not all(
            _untold(self._transitions[at]) == _untold(step) for at, step in zip(order, earlier, strict=False)
        ):
            raise ExperienceFormatError(
                f"{found} is there already and is not the annotation of {source}: choose another name, or begin anew "
                "with resume=False (--overwrite)."
            )
        done = len(self._episodes)
        if not complete:
            done = _whole_batches(self._episodes, len(earlier), batch)
            earlier = earlier[: sum(map(len, self._episodes[:done]))]
            self.file.keep(earlier)
        for at, step in zip(order, earlier, strict=False):
            self._traces[at] = self._traces[at] or step.reasoning
        return done

    def explain(self, teacher: Teacher, done: int, batch: int, *, show: bool) -> None:
        """Ask for the traces of all further episodes; each batch is kept as soon as it is there."""
        from tqdm import tqdm

        if done == len(self._episodes):
            return
        before = sum(map(len, self._episodes[:done]))
        with (
            self.file.writer() as writer,
            tqdm(
                total=len(self._transitions),
                initial=before,
                unit="step",
                desc="annotating",
                disable=None if show else True,
            ) as bar,
        ):
            for start in range(done, len(self._episodes), batch):
                numbers = range(start, min(start + batch, len(self._episodes)))
                trajectories = [self._trajectory(number) for number in numbers]
                for trajectory, traces in zip(trajectories, teacher.explain(trajectories), strict=True):
                    positions = self._episodes[trajectory.number]
                    for at, trace in zip(trajectory.wanted, traces, strict=True):
                        self._traces[positions[at]] = trace
                    for at in positions:
                        writer.write(self._explained(at))
                    bar.update(len(positions))
                writer.flush()

    def explained(self) -> list[Transition]:
        """Return the transitions with their traces, in the order of the file."""
        return [self._explained(at) for at in range(len(self._transitions))]

    @property
    def episodes(self) -> int:
        """How many episodes there are."""
        return len(self._episodes)

    @property
    def missing(self) -> int:
        """How many transitions have no trace yet."""
        return sum(not trace for trace in self._traces)

    def _trajectory(self, number: int) -> Trajectory:
        positions = self._episodes[number]
        wanted = [at for at, position in enumerate(positions) if not self._traces[position]]
        return Trajectory(number, tuple(self._transitions[at] for at in positions), tuple(wanted))

    def _explained(self, at: int) -> Transition:
        return replace(self._transitions[at], reasoning=self._traces[at])


def _episodes(transitions: Sequence[Transition]) -> list[list[int]]:
    """Return the positions of each episode's steps; episodes stand in the order of their first steps.

    A name that begins again (two recordings joined in one file) is another episode.
    """
    episodes: list[list[int]] = []
    latest: dict[str, list[int]] = {}
    for at, step in enumerate(transitions):
        positions = latest.get(step.episode)
        if positions is None or step.step <= transitions[positions[-1]].step:
            positions = latest[step.episode] = []
            episodes.append(positions)
        positions.append(at)
    return episodes


def _whole_batches(episodes: Sequence[Sequence[int]], steps: int, batch: int) -> int:
    """Return how many episodes of whole batches the first so many steps make; the last batch may be a smaller one."""
    count = 0
    for episode in episodes:
        if len(episode) > steps:
            return count - count % batch
        steps -= len(episode)
        count += 1
    return count


def _untold(step: Transition) -> Transition:
    return replace(step, reasoning="")
