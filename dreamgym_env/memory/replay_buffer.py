"""The replay buffer: experience in Chroma, found by state and action.

``ReplayBuffer(domain)`` is in memory, ``ReplayBuffer(domain, folder)`` persistent (one writer, any number of readers),
``ReplayBuffer(domain, "http://host:port")`` on a Chroma server (any number of both).  The experience that the domain
ships is joined to each of them when a query is answered.
"""

from __future__ import annotations

import itertools
import os
import time
import weakref
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from dreamgym_env.errors import ReplayBufferError
from dreamgym_env.memory.embedders import default_embedder
from dreamgym_env.memory.experience import read_transitions, write_transitions
from dreamgym_env.memory.filters import DreamFilter
from dreamgym_env.memory.identity import Identifier, RowId
from dreamgym_env.memory.keys import KeyEncoder, KeyWeights
from dreamgym_env.memory.retrieval import Candidate, LeakRule, select
from dreamgym_env.memory.seed import open_seed
from dreamgym_env.memory.shelf import Shelf
from dreamgym_env.memory.store import Store, StoreSpec
from dreamgym_env.types import Domain, Embedder, Memory, Query, Source, Task, Transition, Turn

__all__ = ["ReplayBuffer", "retrieve_similar_transitions"]

_MARGIN = 3
_WIDER = 4
_MOST_CANDIDATES = 2_048
_ROWS_PER_WRITE = 1_000
_KEPT_ANSWERS = 16_384


class ReplayBuffer:
    """Real and dream transitions of one domain, retrieved by the similarity of state and action.

    Real transitions are always accepted (an exact repetition is stored once), are written through before ``add``
    returns, and are never evicted. Dream transitions are written in batches, have to pass the filter, and the oldest
    episodes leave when there are more than ``max_dream``.

    Not thread-safe. A context manager: leaving it closes the buffer.
    """

    def __init__(
        self,
        domain: Domain,
        location: str | os.PathLike[str] | None = None,
        *,
        embedder: Embedder | None = None,
        weights: KeyWeights | None = None,
        read_only: bool = False,
        seed_experience: bool | str | os.PathLike[str] = True,
        max_dream: int = 50_000,
        accept: Callable[[Transition], bool] | None = None,
        flush_every: int = 256,
        flush_seconds: float = 30.0,
        cached_transitions: int = 100_000,
    ) -> None:
        """Open a buffer, creating it where there is none.

        Args:
            domain: splits pages from instructions, writes actions canonically, verifies ends, ships experience.
            location: None for memory, ``"http://host:port"`` for a Chroma server, else a folder.
            embedder: embeds the parts of a key; the hashing embedder where None.
            weights: what the parts of a key count; see :class:`KeyWeights`.
            read_only: open what exists, without the lock; ``add`` then raises. A folder is searched as it was when it
                was opened, whatever its writer adds meanwhile; on a server, additions are found at once.
            seed_experience: True joins what the domain ships, False nothing, a path another transitions file.
            max_dream: bound on dream transitions; the oldest episodes are evicted.
            accept: decides which valid, new dream transitions enter; :class:`DreamFilter` where None.
            flush_every: dream transitions that may wait before they are written (a killed process loses them).
            flush_seconds: how long the first of them may wait when further ones come slowly.
            cached_transitions: how many decoded transitions are kept in memory.

        Raises:
            BufferLockedError: another process writes to the folder.
            ReplayBufferError: the location is something else, or a buffer of another domain, version or key space.
            ExperienceFormatError: the seed experience cannot be read.
        """
        if flush_every < 1 or max_dream < 0:
            raise ValueError("flush_every must be at least 1 and max_dream at least 0.")
        self.domain = domain
        self.read_only = read_only
        self.encoder = KeyEncoder(domain, embedder or default_embedder(), weights)
        self._identifier = Identifier(domain)
        self._accept = accept or DreamFilter(domain)
        self._max_dream = max_dream
        self._flush_every = flush_every
        self._flush_seconds = flush_seconds
        self._waiting_since = time.monotonic()
        """When the first of the pending transitions came."""
        self._frozen = False
        self._answers: dict[tuple[str, str, int], list[Memory]] = {}
        """What was found for questions since the buffer changed last."""
        self._refused: Counter[str] = Counter()
        spec = StoreSpec(domain.name, self.encoder.name, self.encoder.dimension)
        place = location if location is None or isinstance(location, str) else Path(location)
        store = Store(spec, place, read_only=read_only)
        self._own = Shelf(store, self.encoder.layout, cached_transitions=cached_transitions)
        self._finalizer = weakref.finalize(self, self._own.close)  # at the latest when the interpreter exits
        self._seed: Shelf | None = None
        try:
            self._seed = self._open_seed(seed_experience, spec)
        except BaseException:
            self.close()
            raise

    # reading

    def retrieve(
        self,
        queries: Sequence[Query],
        k: int = 5,
        *,
        exclude_episode: bool = False,
        exclude_task: bool = False,
        with_history: bool = False,
    ) -> list[list[Memory]]:
        """Return the most similar memories of each query, most similar first, at most k.

        A query never sees its own episode's future. Transitions of the same page, action and outcome are one memory.
        A real memory goes before a dream one of equal similarity.  Agents ask the same questions again and again, above
        all the members of a group: each is searched for once, until the buffer changes.

        Args:
            queries: n queries, answered in one batch.
            k: how many memories each.
            exclude_episode: leave out the query's own episode altogether.
            exclude_task: leave out the query's own task, and all that are variations of the same (an evaluation).
            with_history: give the transitions of the memories their histories. Otherwise ``history`` is empty in
                them: a prompt shows what happened, not how the episode came there, and reading that costs more.

        Returns:
            n lists; shorter than k only where the search found no more that the query may see.
        """
        if k < 1 or not queries:
            return [[] for _ in queries]
        rules = [self._leak_rule(query, exclude_episode, exclude_task) for query in queries]
        if with_history:
            return self._retrieve(queries, rules, k, with_history=True)
        keys = [rule.kept_by(k) if self._may_keep(rule) else None for rule in rules]
        found = [self._answers.get(key) if key else None for key in keys]
        new: dict[Hashable, list[int]] = {}
        for at, key in enumerate(keys):
            if found[at] is None:
                new.setdefault(key or at, []).append(at)
        first = [same[0] for same in new.values()]
        fresh = self._retrieve([queries[at] for at in first], [rules[at] for at in first], k)
        if len(self._answers) > _KEPT_ANSWERS:
            self._answers.clear()
        for same, memories in zip(new.values(), fresh, strict=True):
            if (key := keys[same[0]]) is not None:
                self._answers[key] = memories
            for at in same:
                found[at] = memories
        return [list(memories or ()) for memories in found]

    def recorded(self, queries: Sequence[Query]) -> list[Transition | None]:
        """Return for each query the real transition of the same task after exactly the same actions, or None.

        This is no search: in a deterministic environment the recorded outcome is the true answer. The transition comes
        without its history, which is the query's.
        """
        rows = [self._recorded_row(query) for query in queries]
        found = self._transitions({row for row in rows if row is not None})
        return [found.get(row) if row is not None else None for row in rows]

    def __len__(self) -> int:
        """Return how many transitions can be retrieved, those of the joined seed experience included."""
        return sum(len(shelf) for shelf in self._shelves)

    def experience(self) -> Iterator[Transition]:
        """Iterate over all of them: the seed experience first, then the buffer's own in the order of their addition."""
        return itertools.chain.from_iterable(shelf.all() for shelf in reversed(self._shelves))

    def known(self, task_ids: Collection[str]) -> set[str]:
        """Return those of some tasks that transitions are held of, or of variations of them."""
        wanted = {self._identifier.family(task_id): task_id for task_id in task_ids}
        families = {row.task for shelf in self._shelves for row in shelf.ids()}
        return {task_id for family, task_id in wanted.items() if family in families}

    def count(self, source: Source) -> int:
        """Return how many of them are of one source."""
        return sum(shelf.catalogue.counts[source] for shelf in self._shelves)

    def stats(self) -> dict[str, int]:
        """Return what is held and what was refused.

        Returns:
            The buffer's own ``real`` and ``dream`` transitions, those of them that are not written yet (``pending``),
            the joined ``seed`` experience, and what ``add`` refused by reason (``refused_...``).
        """
        counts = self._own.catalogue.counts
        return {
            "real": counts[Source.REAL],
            "dream": counts[Source.DREAM],
            "pending": self._own.pending,
            "seed": len(self._seed) if self._seed else 0,
            **{f"refused_{reason}": number for reason, number in sorted(self._refused.items())},
        }

    # writing

    @property
    def frozen(self) -> bool:
        """Whether :meth:`freeze` was called."""
        return self._frozen

    def freeze(self) -> None:
        """Refuse additions from now on: an evaluation must not feed the buffer."""
        self.flush()
        self._frozen = True

    def add(self, transitions: Sequence[Transition]) -> int:
        """Add transitions; return how many were accepted (:meth:`stats` says why others were not).

        If one of them is real, everything is written before the call returns.

        Raises:
            ReplayBufferError: the buffer is frozen or read-only, or a transition is of another domain.
        """
        self._refuse_writing()
        for transition in transitions:
            if transition.source is Source.COMPOSED:
                raise ReplayBufferError("A composed memory answers one question: it is no experience and not stored.")
            if transition.domain != self.domain.name:
                raise ReplayBufferError(
                    f"A transition of the domain {transition.domain!r} cannot enter a buffer of {self.domain.name!r}."
                )
        accepted = 0
        for start in range(0, len(transitions), _ROWS_PER_WRITE):
            accepted += self._add(transitions[start : start + _ROWS_PER_WRITE])
        return accepted

    def flush(self) -> None:
        """Write what is pending; when it returns, all accepted transitions survive the process."""
        self._own.flush()
        self._answers.clear()
        if not self.read_only:
            self._own.evict_dreams(self._max_dream)

    def close(self) -> None:
        """Flush and let go of folder, lock and connections; calling it twice is allowed."""
        try:
            if self._finalizer.alive:
                self.flush()
        finally:
            try:
                self._finalizer()
            finally:
                if self._seed is not None:
                    self._seed.close()

    def __enter__(self) -> ReplayBuffer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # files

    def export(self, path: str | os.PathLike[str]) -> int:
        """Write the buffer's own transitions (without the seed experience) to a transitions file; return how many."""
        return write_transitions(path, self._own.all(), header={"domain": self.domain.name})

    def import_(self, path: str | os.PathLike[str]) -> int:
        """Add the transitions of a file; return how many were accepted.

        Raises:
            ExperienceFormatError: a line is broken; nothing was added.
            ReplayBufferError: as for :meth:`add`; nothing was added.
        """
        self._refuse_writing()
        return self.add(read_transitions(path))

    # inside

    @property
    def _shelves(self) -> tuple[Shelf, ...]:
        return (self._own, self._seed) if self._seed is not None else (self._own,)

    def _open_seed(self, seed: bool | str | os.PathLike[str], spec: StoreSpec) -> Shelf | None:
        path = self.domain.seed_experience() if seed is True else seed
        return open_seed(path, self.domain, self.encoder, spec) if path else None

    def _leak_rule(self, query: Query, exclude_episode: bool, exclude_task: bool) -> LeakRule:
        task = query.task
        return LeakRule(
            question=self._identifier.question(query.state, task.instruction, query.action),
            episode=self._identifier.episode(task.id, query.episode) if query.episode else "",
            step=len(query.history),
            excluded_family=self._identifier.family(task.family) if exclude_task else "",
            exclude_episode=exclude_episode,
        )

    def _may_keep(self, rule: LeakRule) -> bool:
        """Return whether what a query finds follows from its question, its excluded family and the buffer alone."""
        fixed = self.encoder.layout.by_question and not self._own.store.shared
        return fixed and not any(rule.episode in shelf.catalogue.episodes for shelf in self._shelves)

    def _retrieve(
        self, queries: Sequence[Query], rules: Sequence[LeakRule], k: int, *, with_history: bool = False
    ) -> list[list[Memory]]:
        if not queries:
            return []
        chosen = self._search(self.encoder.encode(queries), rules, k)
        named = [[(str(row), similarity) for similarity, row in rows] for rows in chosen]
        found = self._transitions({name for rows in named for name, _ in rows}, with_history=with_history)
        return [[Memory(name, found[name], similarity) for name, similarity in rows if name in found] for rows in named]

    def _search(self, keys: npt.NDArray[np.float32], rules: Sequence[LeakRule], k: int) -> list[list[Candidate]]:
        """Search with a margin, and again wider for the queries that the leak rules left short."""
        chosen: list[list[Candidate]] = [[] for _ in rules]
        short = list(range(len(rules)))
        count = k + _MARGIN
        largest = min(max(len(shelf) for shelf in self._shelves), max(_MOST_CANDIDATES, count))
        while short:
            questions = [rules[query].question for query in short]
            near = [shelf.search(keys[short], count, questions) for shelf in self._shelves]
            for place, query in enumerate(short):
                candidates = itertools.chain.from_iterable(found[place] for found in near)
                chosen[query] = select(candidates, rules[query], k)
            if count >= largest:
                break
            short = [query for query in short if len(chosen[query]) < k]
            count *= _WIDER
        return chosen

    def _transitions(self, rows: set[str], *, with_history: bool = False) -> dict[str, Transition]:
        found: dict[str, Transition] = {}
        for shelf in self._shelves:
            held = [row for row in rows if row not in found and row in shelf.catalogue]
            found.update(shelf.whole(held) if with_history else shelf.transitions(held))
        return found

    def _recorded_row(self, query: Query) -> str | None:
        path = self._identifier.path(query)
        rows = (shelf.catalogue.recorded(path) for shelf in self._shelves)
        return next((row for row in rows if row is not None), None)

    def _refuse_writing(self) -> None:
        if self._frozen:
            raise ReplayBufferError("The replay buffer is frozen: an evaluation must not add to it.")
        if self.read_only:
            raise ReplayBufferError("The replay buffer was opened with read_only=True: open it without to add to it.")

    def _add(self, transitions: Sequence[Transition]) -> int:
        self._answers.clear()
        fresh: dict[str, tuple[RowId, Transition]] = {}
        rows = [self._identifier.row_id(transition) for transition in transitions]
        answered = {row.question for row in rows if row.real}
        dreamt: set[tuple[str, str]] = set()
        for row, transition in zip(rows, transitions, strict=True):
            reason = "duplicate" if str(row) in fresh else self._reason_to_refuse(row, transition)
            if not reason and not row.real and row.question in answered:
                reason = "known"
            if not reason and not row.real and (row.question, row.outcome) in dreamt:
                reason = "duplicate"  # several lanes dreamt the same
            if reason:
                self._refused[reason] += 1
                continue
            fresh[str(row)] = (row, transition)
            if not row.real:
                dreamt.add((row.question, row.outcome))
        keys = self.encoder.encode([transition for _, transition in fresh.values()])
        if not self._own.pending:
            self._waiting_since = time.monotonic()
        for (row, transition), key in zip(fresh.values(), keys, strict=True):
            self._own.put(row, key, transition)
        overdue = time.monotonic() - self._waiting_since > self._flush_seconds
        full = self._own.pending >= self._flush_every
        if full or (self._own.pending and overdue) or any(row.real for row, _ in fresh.values()):
            self.flush()
        return len(fresh)

    def _reason_to_refuse(self, row: RowId, transition: Transition) -> str:
        """Return why a transition may not enter beside what is held, or an empty string."""
        if str(row) in self._own.catalogue:
            return "duplicate"
        if row.real:
            return ""
        if not transition.valid:
            return "invalid"
        if any(shelf.catalogue.answers(row.question) for shelf in self._shelves):
            return "known"
        if any(shelf.catalogue.dreamt(row.question, row.outcome) for shelf in self._shelves):
            return "duplicate"
        return "" if self._accept(transition) else "filter"


def retrieve_similar_transitions(
    state: str,
    action: str,
    task_instruction: str,
    history: Sequence[Turn],
    replay_buffer: ReplayBuffer,
    k: int = 5,
) -> list[Memory]:
    """Return the k transitions of the buffer most similar to a state and an action, most similar first.

    The retrieval step of DreamGym (arXiv 2511.03773) for a single question; :meth:`ReplayBuffer.retrieve` answers many
    at once, and knows the asking task and episode.

    Args:
        state: the current observation.
        action: what the agent does.
        task_instruction: what it was asked to do.
        history: the turns before, oldest first.
        replay_buffer: where to look.
        k: how many at most.
    """
    initial = history[0].state if history else state
    task = Task(id="", domain=replay_buffer.domain.name, instruction=task_instruction, initial_state=initial)
    return replay_buffer.retrieve([Query(task, tuple(history), state, action)], k)[0]
