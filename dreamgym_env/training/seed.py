"""The experience that a domain ships, recorded again: ``python -m dreamgym_env.training.seed DOMAIN --out FILE``.

Several recordings of the real environment, train split only, each by a mix of agents of its own, are joined in one file
and given reasons by the domain's rules.  Episodes in which a busy machine left a browser no time for an action are left
out: they would teach an error that nothing on the page explains.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from dreamgym_env.domains import load_domain
from dreamgym_env.memory.experience import read_header, read_transitions, write_transitions
from dreamgym_env.training.annotate import annotate_experience
from dreamgym_env.training.record import parse_agent_shares, record_experience

__all__ = ["RECORDINGS", "main"]

RECORDINGS = MappingProxyType(
    {
        "alfworld": ((0, 900, "oracle:0.35,noisy-oracle:0.5,random:0.15"),),
        "miniwob": ((0, 1_480, "oracle:0.4,noisy-oracle:0.4,random:0.2"),),  # each train task twice
        "webarena": (
            (0, 136, "oracle:0.35,noisy-oracle:0.5,random:0.15"),
            (11, 204, "oracle:0.35,noisy-oracle:0.5,random:0.15"),
            (1, 393, "cataloguer:1"),  # 411, each train task once, look at all that the sites show
        ),
        "webshop": (
            (0, 1_300, "oracle:0.25,noisy-oracle:0.35,lazy:0.08,window-shopper:0.2,random:0.12"),
            (1, 1_500, "cataloguer:1"),  # each train task once: together they look at the whole shop
        ),
    }
)
"""Domain -> the seed, the number of episodes and the agents of each of its recordings."""

_LATE = "\nError: TimeoutError"


def main(
    domain: Annotated[str, typer.Argument(help="Name of the domain.")],
    out: Annotated[Path | None, typer.Option(help="File to write; by default the one that is shipped.")] = None,
) -> None:
    """Record a domain's seed experience."""
    shipped = out or load_domain(domain).seed_experience()
    if not shipped:
        raise typer.BadParameter(f"{domain} ships no experience that could be recorded again: name a file with --out.")
    target = Path(shipped)
    with tempfile.TemporaryDirectory() as folder:
        parts = []
        for seed, episodes, agents in RECORDINGS[domain]:
            parts.append(part := Path(folder) / f"{seed}.jsonl")
            shares = parse_agent_shares(agents)
            record_experience(domain, part, agents=shares, episodes=episodes, split="train", seed=seed, real=True)
        joined = Path(folder) / f"joined{''.join(target.suffixes)}"
        header = {"domain": domain, "recorded": [read_header(part)["recorded"] for part in parts]}
        steps = [step for part in parts for step in read_transitions(part)]
        late = {step.episode for step in steps if _LATE in step.next_state}
        write_transitions(joined, [step for step in steps if step.episode not in late], header=header)
        annotate_experience(joined, target, "rules", resume=False)
    typer.echo(f"{target}: {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    typer.run(main)
