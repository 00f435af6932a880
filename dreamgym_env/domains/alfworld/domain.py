"""ALFWorld: find, take, clean, heat, cool and place things in a house.

**Task.** "put a clean mug on the desk.": six types of household tasks; look at a thing under a lamp, or bring one or
two things to a place, as they are, clean, hot or cold.  Protocol: Shridhar et al., "ALFWorld" (ICLR 2021).

**Actions.** ``look``, ``inventory``, ``help``, ``go to R``, ``open R``, ``close R``, ``take O from R``,
``move O to R``, ``examine X``, ``use O``, ``heat O with R``, ``clean O with R``, ``cool O with R``, ``slice O with O``.
Anything else, and what is not possible where one stands, changes nothing: "Nothing happens."

**States.** What the last action showed, in sentences; the first lists the furniture and says the task.

**Rewards.** 1 when the goal is reached, else 0.

**End.** Reaching the goal ends an episode; so do 50 actions.

**Games.** Generated ones by default (rooms of the test split are in no other); a file, ``games=PATH``; or ALFWorld's
own data, ``games="official"`` where ``ALFWORLD_DATA`` names its folder (splits ``train``, ``valid_seen``,
``valid_unseen``).  The real environment needs the extra ``alfworld``; the dream does not.

**Ids.** ``DreamGym/ALFWorld-v0``, ``DreamGymReal/ALFWorld-v0``.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from dreamgym_env.domains.alfworld import STEP_LIMIT, candidates, grammar
from dreamgym_env.domains.alfworld.composer import HouseComposer
from dreamgym_env.domains.alfworld.games import (
    Game,
    GameSource,
    LogicChoice,
    check_logic,
    find_game,
    find_task,
    open_games,
)
from dreamgym_env.domains.alfworld.known import known_of
from dreamgym_env.domains.alfworld.other_goals import with_goal
from dreamgym_env.domains.alfworld.teaching import explain, teach
from dreamgym_env.domains.alfworld.texts import join_sentences, page_kind, split_sentences
from dreamgym_env.domains.alfworld.verifier import ALFWorldVerifier, goal_of
from dreamgym_env.errors import ResetOptionError, UnknownTaskError
from dreamgym_env.types import Composer, Memory, Task, Transition, Turn, Verifier

__all__ = ["ALFWorld"]

_SEED_EXPERIENCE = Path(__file__).parent / "data" / "seed.jsonl.gz"

_RULES = """\
- A house is one room with numbered receptacles (furniture, appliances) and numbered objects, such as "cabinet 3" \
and "apple 1". The agent stands in the middle of the room at first, then at the receptacle it went to last.
- go to R: "You arrive at R." and what it shows. A receptacle with a door or lid says "The R is closed." or "The R is \
open. In it, you see a O 1, and a O 2."; any other says "On the R, you see ...", or "you see nothing". Receptacles \
may stand at one place: who is at one is at all of them.
- open R, close R: "You open the R. The R is open. In it, you see ...", "You close the R."
- take O from R, where it is open or has no door, with empty hands: "You pick up the O from the R." One object is held \
at a time; it is then no longer in R.
- move O to R, where O is held and such things go in or on R: "You move the O to the R."
- clean O with a sinkbasin, heat O with a microwave, cool O with a fridge, O being held: "You clean the O using the \
R." The appliance may stay closed. Heating ends that O is cool, and cooling that it is hot.
- use O switches a lamp on: "You turn on the O." slice O with a held knife: "You sliced the O with the knife 1."
- look: "You are facing the R. Next to it, you see nothing." inventory: "You are carrying: a O 1." or "You are not \
carrying anything." examine X: what a receptacle shows, or "This is a hot O 1.", "There's nothing special about O 1."
- What is impossible changes nothing: "Nothing happens." So does going to where one already is.
- An object stays where it was put; a receptacle stays open until it is closed.
- The task is done, and the episode ends, as soon as the house is as the task wants it; for a lamp task, as soon as \
the object is held at the place of the lamp that is on.
"""


class ALFWorld:
    """The domain."""

    name = "alfworld"
    max_episode_steps = STEP_LIMIT
    rules = _RULES

    def __init__(
        self,
        games: str | os.PathLike[str] | None = None,
        logic: LogicChoice = "installed",
        *,
        facts: bool = True,
    ) -> None:
        """Name the games; they are opened when a split or a task is asked for.

        Args:
            games: None for generated ones; ``"official"`` for ALFWorld's data in the folder that ``ALFWORLD_DATA``
                names; or the path of such a folder, or of a JSON-lines file of games (``pddl_problem``, ``task``,
                ``split``).
            logic: ``"installed"`` plays all games by the rules and in the words of the installed package; ``"own"`` by
                those that came with them, which in older data are others (``put O in/on R``).
            facts: whether a task's hidden facts are known to the dream.  Without them it makes up a house that fits the
                task; the oracles, which walk by facts, have nothing to walk by then.

        Raises:
            KeywordError: ``logic`` is none of its values.
        """
        check_logic(logic)
        self._source, self._logic, self._tells = games, logic, facts
        self._task = functools.lru_cache(maxsize=1024)(self._read_task)

    @functools.cached_property
    def _games(self) -> GameSource:
        return open_games(self._source, self._logic)

    def splits(self) -> tuple[str, ...]:
        """Return the names of the splits.

        Raises:
            GameError: there are no games where they should be.
        """
        return tuple(self._games.ids())

    def task_ids(self, split: str) -> Sequence[str]:
        """Return the ids of a split's tasks. Raises UnknownTaskError, and what :meth:`splits` raises."""
        ids = self._games.ids()
        if split not in ids:
            raise UnknownTaskError(f"ALFWorld has no split {split!r:.80} here; it has: {', '.join(ids)}.")
        return ids[split]

    def task(self, task_id: str) -> Task:
        """Return a task.

        Raises:
            UnknownTaskError: there is none of that id.
            GameError: its game is broken, of no known type, or cannot be solved; the message says which.
        """
        return self._task(task_id)

    @property
    def tells_facts(self) -> bool:
        """Whether a task's hidden facts are known to the dream."""
        return self._tells

    def told_task(self, task_id: str) -> Task:
        """Return a task with its facts, also where the dream is not told them. Raises what :meth:`task` raises."""
        return self.task(task_id) if self._tells else find_task(self._games, task_id)

    def game_of(self, task: Task) -> Game:
        """Return the game that a task is played in; for a variation, that of its house, with the variation's goal.

        Raises:
            ResetOptionError: it is no task of these games: the real engine plays nothing else.
            GameError: the game cannot be read, or cannot have the goal.
            MissingDependencyError: the extra ``alfworld`` is not installed.
        """
        house = str(task.facts.get("house") or task.family)
        try:
            game = find_game(self._games, house)
        except UnknownTaskError as error:
            raise ResetOptionError(
                f"The real ALFWorld plays only tasks of its games, and {house!r:.80} is none. {error}"
            ) from error
        return with_goal(game, goal_of(task)) if task.parent and task.goal else game

    def segment(self, state: str, instruction: str) -> tuple[str, ...]:
        """Split a text into sentences, the instruction replaced by a placeholder."""
        return split_sentences(state, instruction)

    def render(self, segments: Sequence[str], instruction: str) -> str:
        """Join sentences."""
        return join_sentences(segments, instruction)

    def available_actions(self, task: Task, history: Sequence[Turn], state: str) -> tuple[str, ...]:
        """Return the actions that follow from what the episode has shown."""
        return candidates.available_actions(history, state)

    def parse_action(self, action: str) -> str | None:
        """Return an action's canonical text, or None."""
        parsed = grammar.parse(action)
        return parsed.text if parsed else None

    def guard(self, task: Task, history: Sequence[Turn], state: str, action: str) -> str | None:
        """Return "Nothing happens." for an action that the house does not admit, by its facts where it has any."""
        return candidates.guard(history, state, action, known_of(task))

    def action_kind(self, action: str) -> str:
        """Return the action's verb, or ``invalid``."""
        return grammar.kind(action)

    def page_kind(self, state: str) -> str:
        """Return the kind of a text, see :func:`~.texts.page_kind`."""
        return page_kind(state)

    def verifier(self) -> Verifier:
        """Return the program that decides success."""
        return ALFWorldVerifier()

    def composer(self, experience: Callable[[], Iterator[Transition]]) -> Composer:
        """Return what composes answers from a task's facts, the episode, and houses that real experience has shown."""
        return HouseComposer(self, experience)

    def teach(self, transition: Transition, memories: Sequence[Memory]) -> Transition:
        """Return a recorded step with a reason, and with as much of its text as can be known."""
        return teach(transition, memories)

    def explain(self, transition: Transition) -> str:
        """Return in a sentence whether the step leads on, and how the house responds."""
        return explain(transition)

    def seed_experience(self) -> str:
        """Return the path of the shipped transitions, recorded in generated games of the train split."""
        return str(_SEED_EXPERIENCE) if _SEED_EXPERIENCE.is_file() else ""

    def _read_task(self, task_id: str) -> Task:
        task = find_task(self._games, task_id)
        return task if self._tells else replace(task, facts={})
