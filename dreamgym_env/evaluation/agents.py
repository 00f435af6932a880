"""Agents that act in an episode, found by what they are called; what a rollout needs of one.

======================  ==================================================================================
``oracle``, ``lazy``    a domain's scripted agents, from the table ``AGENTS`` of the module ``agents`` in its folder:
                        name -> a function that makes one for the domain
``noisy-oracle(0.5)``   one of those that take ``noise``, the share of actions that err
``llm(MODEL)``          a language model that thinks, then acts; MODEL as for ``world_model=``
``policy(PATH)``        a policy that was trained (``dreamgym clone``); the path of an existing folder alone will do
``replay(FILE)``        the actions of a transitions file once more
======================  ==================================================================================
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Protocol, runtime_checkable

import numpy as np

from dreamgym_env.evaluation.agent_names import AgentName, UnknownAgentError, parse_agents, read_agent_name
from dreamgym_env.evaluation.usage import AgentUsage
from dreamgym_env.types import Domain, Task

__all__ = [
    "Agent",
    "AgentFactory",
    "Agents",
    "Crew",
    "CrewMember",
    "Metered",
    "TaskBound",
    "UnknownAgentError",
    "agent_factories",
    "agent_factory",
    "full_name",
    "open_agents",
    "parse_agents",
]


@runtime_checkable
class Agent(Protocol):
    """Acts in one episode at a time."""

    name: str

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode; all that is random in it comes from ``rng``."""
        ...

    def act(self, state: str, available_actions: Sequence[str]) -> str | None:
        """Return the next action in ``state``, which offers ``available_actions``; None to leave the episode."""
        ...


AgentFactory = Callable[[], Agent]
"""Makes one more agent of a kind: each lane of a rollout has its own."""


class Crew(Protocol):
    """Agents that decide together, so that one call of a model serves all lanes of a rollout; it makes its members."""

    def __call__(self) -> CrewMember:
        """Make one more member."""
        ...

    def act_all(
        self, members: Sequence[Any], states: Sequence[str], available_actions: Sequence[Sequence[str]]
    ) -> Sequence[str | None]:
        """Return the next action of n members, the i-th of which is in ``states[i]``; None to leave the episode.

        One who leaves because it could not decide says why (:attr:`CrewMember.failure`): its episode then tells nothing
        of what it can do.
        """
        ...


@runtime_checkable
class CrewMember(Agent, Protocol):
    """An agent that a rollout asks through its crew."""

    crew: Crew
    failure: str
    """Why it could not decide, and its crew said None for it; empty where it could."""


@runtime_checkable
class Metered(Protocol):
    """A factory that knows what its agents have used up."""

    def __call__(self) -> Agent:
        """Make one more agent."""
        ...

    @property
    def usage(self) -> AgentUsage:
        """What all agents have used up so far."""
        ...


@runtime_checkable
class TaskBound(Protocol):
    """A factory whose agents can play certain tasks only."""

    def __call__(self) -> Agent:
        """Make one more agent."""
        ...

    def check_tasks(self, task_ids: Iterable[str]) -> None:
        """Raise UnknownTaskError where its agents cannot play one of these tasks."""
        ...


def agent_factories(domain: Domain) -> Mapping[str, AgentFactory]:
    """Return the domain's scripted agents by name; none where there is no module ``agents`` beside the domain's own."""
    return {name: functools.partial(make, domain) for name, make in _table(domain).items()}


def agent_factory(domain: Domain, name: str) -> AgentFactory:
    """Return what makes agents of a name; where it has a method ``close``, the caller calls it in the end.

    Args:
        domain: what they act in.
        name: in one of the forms above.

    Raises:
        UnknownAgentError: the domain has no such agent, or what stands in the brackets is none of its arguments.
        WorldModelStringError, WorldModelError, MissingDependencyError: the model of ``llm`` cannot be had.
        PolicyError: the policy cannot be read, or is one of another domain.
        ExperienceFormatError: the file of ``replay`` cannot be read.
    """
    read, table = read_agent_name(name), _table(domain)
    if read.kind in table:
        return _scripted(domain, table[read.kind], read)
    if read.kind in _FORMS:
        if not read.argument:
            raise UnknownAgentError(f"The agent {read.kind!r} needs an argument in brackets: {_FORMS[read.kind][0]}.")
        return _FORMS[read.kind][1](domain, read.argument)
    if read.argument is None and _is_path(read.kind):
        return _policy(domain, read.kind)
    forms = ", ".join(form for form, _ in _FORMS.values())
    raise UnknownAgentError(
        f"{domain.name} has no agent {name!r}; it has: {', '.join([*table, forms])}, or the path of a policy."
    )


def full_name(domain: Domain, name: str) -> str:
    """Return a name in the form that reports show: the path of a policy alone is ``policy(PATH)``."""
    read = read_agent_name(name)
    if read.argument is not None:
        return f"{read.kind}({read.argument})"
    return f"policy({read.kind})" if read.kind not in _table(domain) and _is_path(read.kind) else read.kind


class Agents(Mapping[str, AgentFactory]):
    """Agents by name, as :func:`~.rollout.play` takes them; a context manager that closes what they hold."""

    def __init__(self, factories: Mapping[str, AgentFactory]) -> None:
        """Take factories over: closing them is this object's now."""
        self._factories = dict(factories)

    def __getitem__(self, name: str) -> AgentFactory:
        return self._factories[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._factories)

    def __len__(self) -> int:
        return len(self._factories)

    @property
    def usage(self) -> Mapping[str, AgentUsage]:
        """What the agents that ask a language model have used up so far, by name."""
        return {name: made.usage for name, made in self._factories.items() if isinstance(made, Metered)}

    def close(self) -> None:
        """Close the engines that agents hold; calling it twice is allowed."""
        for factory in self._factories.values():
            if hasattr(factory, "close"):
                factory.close()

    def __enter__(self) -> Agents:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_agents(domain: Domain, names: Sequence[str]) -> Agents:
    """Return agents of some names for a ``with`` block.

    Raises:
        UnknownAgentError: there is none of a name, or two names are of the same agent; and whatever else
            :func:`agent_factory` raises.
    """
    _refuse_same(domain, names)
    opened: dict[str, AgentFactory] = {}
    try:
        for name in names:
            opened[name] = agent_factory(domain, name)
    except BaseException:
        Agents(opened).close()
        raise
    return Agents(opened)


def _refuse_same(domain: Domain, names: Sequence[str]) -> None:
    seen: dict[tuple[str, object], str] = {}
    for name in names:
        identity = _identity(domain, name)
        if identity in seen:
            raise UnknownAgentError(f"{seen[identity]!r} and {name!r} are the same agent: name it once.")
        seen[identity] = name


def _identity(domain: Domain, name: str) -> tuple[str, object]:
    """Return what two names of one agent have in common."""
    read, table = read_agent_name(full_name(domain, name)), _table(domain)
    if read.kind in ("policy", "replay") and read.argument and read.kind not in table:
        return read.kind, _path(read.argument).resolve()
    noise = inspect.signature(table[read.kind]).parameters.get("noise") if read.kind in table else None
    if noise is not None:
        with contextlib.suppress(ValueError):  # it is no number: who makes the agent says so
            return read.kind, float(noise.default if read.argument is None else read.argument)
    return read.kind, read.argument


def _is_path(text: str) -> bool:
    try:
        return bool(text) and _path(text).exists()
    except (OSError, ValueError):  # no path can be so long, or hold such characters
        return False


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # nobody is called what stands behind the tilde
        return Path(text)


def _table(domain: Domain) -> Mapping[str, Callable[..., Agent]]:
    package = type(domain).__module__.rpartition(".")[0]
    if not package or importlib.util.find_spec(f"{package}.agents") is None:
        return {}
    table: Mapping[str, Callable[..., Agent]] = importlib.import_module(f"{package}.agents").AGENTS
    return table


def _scripted(domain: Domain, make: Callable[..., Agent], name: AgentName) -> AgentFactory:
    if name.argument is None:
        return functools.partial(make, domain)
    if "noise" not in inspect.signature(make).parameters:
        raise UnknownAgentError(f"The agent {name.kind!r} takes nothing in brackets, such as {name.argument!r}.")
    try:
        noise = float(name.argument)
    except ValueError:
        noise = -1.0
    if not 0 <= noise <= 1:
        raise UnknownAgentError(
            f"What stands in the brackets of {name.kind!r} is a probability between 0 and 1, such as 0.3, and not "
            f"{name.argument!r}."
        )
    return functools.partial(make, domain, noise=noise)


def _llm(domain: Domain, model: str) -> AgentFactory:
    from dreamgym_env.evaluation.language_agents import LanguageCrew
    from dreamgym_env.world_model.generators.strings import FORMS, generator_from_string

    if model == "embedded":
        forms = ", ".join(f"llm({form.example})" for form in FORMS.values())
        raise UnknownAgentError(
            f"The embedded model is a world model: it knows what pages answer, not how to act. Agents are {forms}."
        )
    return LanguageCrew(domain, generator_from_string(model), name=f"llm({model})")


def _policy(domain: Domain, path: str) -> AgentFactory:
    from dreamgym_env.policies.agents import PolicyCrew
    from dreamgym_env.policies.policy import Policy

    return PolicyCrew(domain, Policy.load(_path(path), domain), name=f"policy({path})")


def _replay(domain: Domain, path: str) -> AgentFactory:
    from dreamgym_env.evaluation.replaying import ReplayAgents

    return ReplayAgents(domain, _path(path), name=f"replay({path})")


_FORMS: Mapping[str, tuple[str, Callable[[Domain, str], AgentFactory]]] = MappingProxyType(
    {"llm": ("llm(MODEL)", _llm), "policy": ("policy(PATH)", _policy), "replay": ("replay(FILE)", _replay)}
)
"""Kinds of agents that every domain has: how one is written, and what makes it."""
