"""Anchors: a share of a dream's episodes is played in the real environment."""

from __future__ import annotations

from collections.abc import Sequence

from dreamgym_env.simulation.episode import Backend, Episode, Outcome, OutcomeStream, open_stream
from dreamgym_env.simulation.seeds import group_draw
from dreamgym_env.types import Task

__all__ = ["AnchoredBackend"]


class AnchoredBackend:
    """Advances most episodes in a dream, and a share of them, the anchors, in the real environment.

    Which episodes are anchors is drawn from their seeds alone: it does not depend on how many there are, a group of
    identical starts is anchored as a whole, and the anchors of a smaller share are among those of a greater one.
    What happens in anchors is not added to the dream's replay buffer.
    """

    def __init__(self, dream: Backend, real: Backend, share: float) -> None:
        """Join a dream and a real environment of the same domain; :meth:`close` closes both.

        Args:
            dream: answers in episodes that are no anchors.
            real: answers in anchors.
            share: probability in [0, 1] that an episode is an anchor.
        """
        self.dream, self.real, self.share = dream, real, share

    def begin(self, tasks: Sequence[Task], seeds: Sequence[int]) -> list[Episode]:
        """Start one episode a task, in at most one batch on each side; :attr:`Episode.anchor` says on which.

        Raises:
            ResetOptionError: a task's goal cannot be checked, or the task of an anchor is none of the real environment.
            GameError: the real environment cannot play the task of an anchor.
        """
        anchored = [group_draw(seed, "anchor") < self.share for seed in seeds]
        episodes: dict[int, Episode] = {}
        for backend, is_real in ((self.dream, False), (self.real, True)):
            chosen = [at for at, anchor in enumerate(anchored) if anchor is is_real]
            if chosen:
                begun = backend.begin([tasks[at] for at in chosen], [seeds[at] for at in chosen])
                episodes.update(zip(chosen, begun, strict=True))
        for at, episode in episodes.items():
            episode.anchor = anchored[at]
        return [episodes[at] for at in range(len(tasks))]

    def advance(
        self, episodes: Sequence[Episode], actions: Sequence[str], step_limit: int | None = None
    ) -> list[Outcome]:
        """Take one action in each episode, in at most one batch on each side.

        Raises:
            WorldModelError: the world model as a whole cannot answer; no episode was changed.
        """
        outcomes: dict[int, Outcome] = {}
        for backend, is_real in ((self.dream, False), (self.real, True)):  # only the dream can fail as a whole
            chosen = [at for at, episode in enumerate(episodes) if episode.anchor is is_real]
            if chosen:
                answers = backend.advance([episodes[at] for at in chosen], [actions[at] for at in chosen], step_limit)
                outcomes.update(zip(chosen, answers, strict=True))
        return [outcomes[at] for at in range(len(episodes))]

    def open(self) -> OutcomeStream:
        """Open a stream."""
        return _AnchoredStream(open_stream(self.dream), open_stream(self.real))

    def available_actions(self, episode: Episode) -> tuple[str, ...]:
        """Return the actions that the episode's current state offers, by the side that plays it."""
        return (self.real if episode.anchor else self.dream).available_actions(episode)

    def close(self) -> None:
        """Close both sides."""
        try:
            self.dream.close()
        finally:
            self.real.close()


class _AnchoredStream:
    """The streams of both sides as one."""

    def __init__(self, dream: OutcomeStream, real: OutcomeStream) -> None:
        self._dream, self._real = dream, real
        self._failure: Exception | None = None

    def submit(self, episodes: Sequence[Episode], actions: Sequence[str], step_limit: int | None = None) -> None:
        """Take one action in each episode; where the dream cannot be asked, both sides drop what they were told."""
        try:
            for stream, is_real in ((self._dream, False), (self._real, True)):
                chosen = [at for at, episode in enumerate(episodes) if episode.anchor is is_real]
                if chosen:
                    stream.submit([episodes[at] for at in chosen], [actions[at] for at in chosen], step_limit)
        except BaseException:
            self.close()
            raise

    def receive(self, timeout: float | None = None) -> list[tuple[Episode, Outcome]]:
        """Return episodes that moved on; what is waited for is the dream, and only where no anchor moved.

        Raises:
            WorldModelError: the world model as a whole cannot answer; nothing is under way any more, and the episodes
                that were are unchanged.  (Anchors that had moved on are returned first.)
        """
        if self._failure is not None:
            failure = self._failure
            self.close()
            raise failure
        moved: list[tuple[Episode, Outcome]] = []
        try:
            moved = self._real.receive(timeout)
            return moved + self._dream.receive(0.0 if moved else timeout)
        except Exception as error:
            if not moved:
                self.close()
                raise
            self._failure = error  # for the next call: real transitions are not to be lost
            return moved

    def close(self) -> None:
        """Forget what was not received; calling it twice is allowed, and the stream can be used again."""
        self._failure = None
        self._dream.close()
        self._real.close()
