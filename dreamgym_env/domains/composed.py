"""How a composed page becomes a memory, and whether a recorded one says the same already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dreamgym_env.types import Domain, Memory, Query, Source, Transition

__all__ = ["composed_memory", "recorded_answers"]


def composed_memory(
    query: Query, action: str, page: str, origin: str, *, terminated: bool = False, certain: bool = False
) -> Memory:
    """Return the memory that says: this action on this page leads to ``page``.

    Its reward is 0 and means nothing where the episode ends: whether it ends well is not the composer's to say.

    Args:
        query: the question; its state and action are the memory's.
        action: the action's canonical text.
        page: the next state.
        origin: what it was composed from, as a prompt names it; after a colon, what speaks for and against success.
        terminated: whether the episode ends.
        certain: whether the page is the answer for certain.
    """
    transition = Transition(
        domain=query.task.domain,
        task_id=query.task.id,
        instruction=query.task.instruction,
        split=query.task.split,
        parent=query.task.parent,
        episode="composed",
        step=len(query.history),
        history=query.history,
        state=query.state,
        action=query.action,
        next_state=page,
        reward=0.0,
        terminated=terminated,
        source=Source.COMPOSED,
        reasoning=origin,
    )
    return Memory(f"composed:{action}"[:100], transition, similarity=1.0, certain=certain)


def recorded_answers(
    domain: Domain, query: Query, memories: Sequence[Memory], *, any_page: bool = False
) -> Iterator[str]:
    """Yield where real memories say that this action on this page (or on any page) leads, in the asking task's words.

    Args:
        domain: says what is the same action and the same page.
        query: the question.
        memories: what was retrieved for it.
        any_page: whether the page does not matter, as for a search.
    """
    action, page = domain.parse_action(query.action), domain.segment(query.state, query.task.instruction)
    for memory in memories:
        past = memory.transition
        if past.source is not Source.REAL or domain.parse_action(past.action) != action:
            continue
        if any_page or domain.segment(past.state, past.instruction) == page:
            yield domain.render(domain.segment(past.next_state, past.instruction), query.task.instruction)
