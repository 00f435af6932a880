"""What a task of ALFWorld asks for, read from the goal of its PDDL problem, and what of it a task keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from dreamgym_env.domains.alfworld.verifier import CONDITION_OF, GOAL_TYPES, Goal
from dreamgym_env.errors import GameError

__all__ = ["CONDITION_PREDICATES", "Formula", "goal_members", "read_goal"]

Formula = str | list["Formula"]
"""A PDDL expression: a lower-case word, or a list of expressions."""

CONDITION_PREDICATES = {"isclean": "clean", "ishot": "hot", "iscool": "cool"}
"""Predicate -> the condition that it states."""
_ARGUMENTS = {
    **dict.fromkeys(("objecttype", "receptacletype", "inreceptacle", "holds"), 2),
    **dict.fromkeys(("istoggled", *CONDITION_PREDICATES), 1),
}
"""Predicate that is read -> how many words follow it."""
_UNDERSTOOD = frozenset(
    [
        "and",
        "exists",
        "not",
        "=",
        "objecttype",
        "receptacletype",
        "inreceptacle",
        "isclean",
        "ishot",
        "iscool",
        "cleanable",
        "heatable",
        "coolable",
        "toggleable",
        "istoggled",
        "receptacleatlocation",
        "objectatlocation",
        "atlocation",
        "holds",
    ]
)


def goal_members(goal: Goal) -> dict[str, str]:
    """Return a goal as JSON values, without its empty members: what :attr:`dreamgym_env.types.Task.goal` holds."""
    return {name: value for name, value in asdict(goal).items() if value}


def read_goal(formula: Formula) -> Goal:
    """Return the goal that a PDDL formula states.

    Raises:
        GameError: it is none of the six types.
    """
    atoms = list(_atoms(formula))
    for atom in atoms:
        if not atom or len(atom) <= _ARGUMENTS.get(atom[0], 0):
            raise GameError(f"its goal has '({' '.join(atom):.80})', which is no statement")
    words = {atom[0] for atom in atoms} | set(_connectives(formula))
    if not words <= _UNDERSTOOD:
        strange = ", ".join(sorted(words - _UNDERSTOOD))
        raise GameError(
            f"its goal speaks of {strange}, which none of the six task types does ({', '.join(GOAL_TYPES)})"
        )
    class_of = {atom[1]: atom[2].removesuffix("type") for atom in atoms if atom[0] in ("objecttype", "receptacletype")}
    toggled = _variables(atoms, "istoggled")
    if toggled:
        held = [atom[2] for atom in atoms if atom[0] == "holds"]
        return Goal("look_at_obj_in_light", _the_class(held, class_of), lamp=_the_class(toggled, class_of))
    placed = [(atom[1], atom[2]) for atom in atoms if atom[0] == "inreceptacle"]
    objects, receptacles = [thing for thing, _ in placed], [receptacle for _, receptacle in placed]
    conditions = {CONDITION_PREDICATES[atom[0]] for atom in atoms if atom[0] in CONDITION_PREDICATES}
    kinds = {condition: kind for kind, condition in CONDITION_OF.items()}
    if len(set(objects)) == 2 and not conditions:
        kind = "pick_two_obj_and_place"
    elif len(set(objects)) == 1 and len(conditions) <= 1:
        kind = kinds[conditions.pop()] if conditions else "pick_and_place_simple"
    else:
        raise GameError(f"its goal is none of the six task types ({', '.join(GOAL_TYPES)})")
    return Goal(kind, _the_class(objects, class_of), receptacle=_the_class(receptacles, class_of))


def _the_class(variables: Sequence[str], class_of: Mapping[str, str]) -> str:
    """Return the one class that all these variables have."""
    found = {class_of.get(variable, "") for variable in variables}
    if len(found) != 1 or found == {""}:
        raise GameError("its goal does not say of which class the object or its place is")
    return found.pop()


def _variables(atoms: Sequence[Sequence[str]], predicate: str) -> list[str]:
    return [atom[1] for atom in atoms if atom[0] == predicate]


def _connectives(formula: Formula) -> Iterator[str]:
    if isinstance(formula, list) and formula and isinstance(formula[0], str):
        if formula[0] in ("and", "or", "not", "exists", "forall", "imply", "when"):
            yield formula[0]
        for part in formula[1:]:
            yield from _connectives(part)


def _atoms(formula: Formula) -> Iterator[list[str]]:
    """Yield the statements of a formula: lists of words that are no connectives; those under ``not`` are left out."""
    if not isinstance(formula, list) or not formula:
        return
    head = formula[0]
    if head in ("exists", "forall"):
        yield from _atoms(formula[-1])
    elif head in ("and", "or", "imply", "when"):
        for part in formula[1:]:
            yield from _atoms(part)
    elif head != "not":
        yield [word for word in formula if isinstance(word, str)]
