"""ALFWorld's own engine in a process of its own; this file is the program, and imports nothing else of the package.

The process reads requests from its standard input and answers on its standard output, one JSON object a line, so that
nothing but text ever crosses the boundary.  It is a process because the engine overwrites ``sys.argv``, keeps a game's
state in a C library, and can end the process that it runs in.  It ends when its input does.

Requests: ``{"start": key, "domain": ..., "grammar": ..., "problem": ...}``, ``{"step": key, "action": ...}``,
``{"plan": key}``, each with ``"forget": [keys]`` of games that are over.  Answers: ``{"text", "commands", "won"}``,
``{"plan"}``, or ``{"error"}``.
"""

from __future__ import annotations

import copy
import functools
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import IO, Any

__all__ = ["main"]

_GRAMMARS = 8
"""Rules and words of so many kinds of games are kept."""


class _Engine:
    """Games in progress by key."""

    def __init__(self, *, shortcuts: bool = True) -> None:
        """Load the engine; ``shortcuts`` spare repeated work, and change no answer."""
        import textworld
        from textworld.envs.pddl import pddl

        os.environ["ALFWORLD_DATA"] = os.path.dirname(__file__)  # noqa: PTH120 - lest importing alfworld make a folder
        from alfworld.agents.environment.alfred_tw_env import AlfredDemangler

        self._pddl: Any = pddl
        self._infos = textworld.EnvInfos(admissible_commands=True, won=True)
        self._name_things: Callable[[Any], Any] = AlfredDemangler
        self._playing: dict[int, Any] = {}
        self._idle: list[Any] = []
        if shortcuts:
            _parse_once()
            pddl.pddl_logic = _TranslatingOnce(pddl.pddl_logic)

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out a request. Raises whatever the engine raises."""
        for key in request.get("forget", ()):
            self._idle.extend(filter(None, [self._playing.pop(key, None)]))
        if "start" in request:
            return self._start(request)
        if "plan" in request:
            return {"plan": _plan(self._playing[request["plan"]].unwrapped)}
        return _shown(self._playing[request["step"]].step(request["action"])[0])

    def _start(self, request: Mapping[str, Any]) -> dict[str, Any]:
        game = self._idle.pop() if self._idle else self._name_things(self._pddl.PddlEnv(self._infos))
        game.load({"pddl_domain": request["domain"], "grammar": request["grammar"], "pddl_problem": request["problem"]})
        state = game.reset()
        self._playing[request["start"]] = game
        return _shown(state)


class _TranslatingOnce:
    """The engine's logic, but a game is translated for the planner once, not four times, when it is started.

    The engine translates a problem in ``load`` and again in ``reset``, and each time a second time for planning, which
    is put off until a plan is wanted.  Rules and words are read once for all games that share them.
    """

    def __init__(self, logic: Any) -> None:
        import fast_downward

        self._logic, self._planner = logic, fast_downward
        self._just_loaded: Any = None
        self.GameLogic = functools.lru_cache(maxsize=_GRAMMARS)(logic.GameLogic)

    def PddlState(self, *arguments: Any) -> Any:  # noqa: N802 - the engine's name
        if self._just_loaded is not None:
            state, self._just_loaded = self._just_loaded, None
            return state
        translate = self._planner.pddl2sas
        self._planner.pddl2sas = lambda *texts, optimize=False, **flags: (
            (None, "") if optimize else translate(*texts, **flags)
        )
        try:
            self._just_loaded = self._logic.PddlState(*arguments)
        finally:
            self._planner.pddl2sas = translate
        return self._just_loaded


def _parse_once() -> None:
    """Keep what the engine parses again and again in each step, and copy no more of it than is changed."""
    from textworld.envs.pddl import textgen
    from textworld.logic import Rule

    parsed = functools.lru_cache(maxsize=None)(textgen._parse_and_convert)
    textgen._parse_and_convert = lambda *text, **flags: copy.deepcopy(parsed(*text, **flags))
    Rule.parse_conjunctive_query = functools.lru_cache(maxsize=None)(Rule.parse_conjunctive_query)
    textgen.copy_context = lambda context: {
        **context,
        "variables": dict(context["variables"]),
        "mapping": dict(context["mapping"]),
    }


def _plan(game: Any) -> list[str]:
    import fast_downward

    state = game._pddl_state
    _, translated = fast_downward.pddl2sas(game._logic.domain, state.pddl_problem, optimize=True)
    state.downward_lib.load_sas_replan(translated.encode())
    plan: list[str] = state.replan(game._entity_infos)
    return plan


def _shown(state: Any) -> dict[str, Any]:
    return {"text": state["feedback"], "commands": state["admissible_commands"], "won": bool(state["won"])}


def _own_output() -> IO[str]:
    """Return the standard output for answers alone: what the engine prints goes to the error output instead."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return own


def main() -> None:
    """Answer requests until the input ends."""
    output = _own_output()
    engine: _Engine | None = None
    for line in sys.stdin:
        try:
            engine = engine or _Engine()
            answer = engine.answer(json.loads(line))
        except (Exception, SystemExit) as error:  # the planner's translator exits where a problem is wrong
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        output.write(f"{json.dumps(answer)}\n")
        output.flush()


if __name__ == "__main__":
    main()
