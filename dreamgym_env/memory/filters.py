"""Which dream transitions may become memories.

The paper states no filter, and that is its weak point: a world model that reads its own errors back as experience makes
them worse.  The buffer itself lets a dream transition in only if it is valid, and new (no real transition answers the
same page and action, no dream one gave the same outcome).  The default filter turns away three more kinds.
"""

from __future__ import annotations

from dreamgym_env.errors import UnknownTaskError
from dreamgym_env.types import Domain, Task, Transition

__all__ = ["DreamFilter"]


class DreamFilter:
    """The default filter; it turns away three kinds of dream transitions.

    * **empty outcomes**: no environment answers nothing, so it is a failure of the model;
    * **unchanged pages**: copying the page is what a world model does when it does not know, models are right about
      actions that change nothing anyway (so the memory would teach nothing), and a buffer full of them teaches to copy;
    * **ends that the verifier does not confirm**: success is where a dream is gamed. Where the domain can check success
      by program, a dream transition that ends an episode, or pays a reward, must be what the program says. Without a
      verifier, only an end with a reward that is 0 or 1 is believed.
    """

    def __init__(self, domain: Domain) -> None:
        """Create the filter of a domain."""
        self._domain = domain
        self._verifier = domain.verifier()

    def __call__(self, transition: Transition) -> bool:
        """Return whether a dream transition may become a memory."""
        if not transition.next_state.strip():
            return False
        if not transition.terminated:
            return transition.reward == 0 and transition.next_state != transition.state
        if self._verifier is None:
            return transition.reward in (0.0, 1.0)
        task = self._task(transition)
        if task is None:
            return False
        verdict = self._verifier.verify(
            task, transition.history, transition.state, transition.action, transition.next_state
        )
        return verdict.terminated and verdict.success == (transition.reward == 1.0)

    def _task(self, transition: Transition) -> Task | None:
        """Return the task, or None where nobody can say any more what its goal was."""
        try:
            task = self._domain.task(transition.task_id)
        except UnknownTaskError:
            return None
        return task if task.instruction == transition.instruction else None
