"""Which keywords ``gym.make`` takes, and what is said of one that it does not."""

from __future__ import annotations

import contextlib
import difflib
import inspect
from collections.abc import Iterable, Iterator

from dreamgym_env.errors import DreamGymError, KeywordError

__all__ = ["blame_keywords", "check_keywords"]


def check_keywords(env_class: type, given: Iterable[str], others: Iterable[str]) -> None:
    """Refuse a keyword that neither the environment's class nor what it is built of knows.

    Args:
        env_class: its constructor's own parameters are known.
        given: keywords to check.
        others: further known keywords.

    Raises:
        KeywordError: it names the keyword, the most similar one that exists, and all that exist.
    """
    own = set(inspect.signature(env_class).parameters) - {"domain", "settings"}
    known = sorted({*own, *others, "max_episode_steps"})  # the last one gymnasium.make keeps for its TimeLimit
    for name in given:
        if name not in known:
            similar = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {similar[0]!r}?" if similar else ""
            raise KeywordError(f"There is no keyword {name!r} here.{hint} There are: {', '.join(known)}.")


@contextlib.contextmanager
def blame_keywords() -> Iterator[None]:
    """Turn a TypeError of what is being built into a KeywordError.

    ``gymnasium.make`` repeats all keywords in the message of a TypeError; the library's own errors mask secrets.
    """
    try:
        yield
    except DreamGymError:
        raise
    except TypeError as error:
        raise KeywordError(f"A keyword has a value of the wrong type: {error}") from error
