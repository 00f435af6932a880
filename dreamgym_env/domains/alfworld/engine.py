"""ALFWorld's own engine in a process of its own: ``python -m dreamgym_env.domains.alfworld.engine``.

The process reads requests from its standard input and answers on its standard output, one JSON object a line, so that
nothing but text ever crosses the boundary.  It is a process because the engine overwrites ``sys.argv``, keeps a game's
state in a C library, and can end the process that it runs in.  It ends when its input does.

Requests: ``{"start": key, "domain": ..., "grammar": ..., "problem": ...}``, ``{"step": key, "action": ...}``, ``{"plan":
key}``, each with ``"forget": [keys]`` of games that are over.  Answers: ``{"text", "commands", "won"}``, ``{"plan"}``, or
``{"error"}``.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

__all__ = ["main"]


class _Engine:
    """Games in progress by key."""

    def __init__(self) -> None:
        """Load the engine."""
        import textworld
        from textworld.envs.pddl import pddl

        os.environ["ALFWORLD_DATA"] = os.path.dirname(__file__)  # noqa: PTH120 - lest importing alfworld make a folder
        from alfworld.agents.environment.alfred_tw_env import AlfredDemangler

        self._pddl: Any = pddl
        self._infos = textworld.EnvInfos(admissible_commands=True, won=True)
        self._name_things: Callable[[Any], Any] = AlfredDemangler
        self._playing: dict[int, Any] = {}
        self._idle: list[Any] = []

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out a request. Raises whatever the engine raises."""
        for key in request.get("forget", ()):
            self._idle.extend(filter(None, [self._playing.pop(key, None)]))
        if "start" in request:
            return self._start(request)
        if "plan" in request:
            game = self._playing[request["plan"]].unwrapped
            return {"plan": game._pddl_state.replan(game._entity_infos)}
        return _shown(self._playing[request["step"]].step(request["action"])[0])

    def _start(self, request: Mapping[str, Any]) -> dict[str, Any]:
        game = self._idle.pop() if self._idle else self._name_things(self._pddl.PddlEnv(self._infos))
        data = {"pddl_domain": request["domain"], "grammar": request["grammar"], "pddl_problem": request["problem"]}
        with self._translating_once():
            game.load(data)
            state = game.reset()
        self._playing[request["start"]] = game
        return _shown(state)

    @contextlib.contextmanager
    def _translating_once(self) -> Iterator[None]:
        """Let ``reset`` have the state that ``load`` has just made: translating a problem takes most of a start."""
        logic = self._pddl.pddl_logic
        made: list[Any] = []

        class Once:
            GameLogic = logic.GameLogic

            @staticmethod
            def PddlState(*arguments: Any) -> Any:  # noqa: N802 - the engine's name
                if not made:
                    made.append(logic.PddlState(*arguments))
                return made[0]

        self._pddl.pddl_logic = Once
        try:
            yield
        finally:
            self._pddl.pddl_logic = logic


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
