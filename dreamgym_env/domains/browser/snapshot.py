"""What a browser's snapshot of a page tells of its elements: which listen to clicks, and which flow with the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from browsergym.core.constants import BROWSERGYM_ID_ATTRIBUTE

from dreamgym_env.domains.browser.elements import NodeFacts

__all__ = ["node_facts", "read_snapshot"]


def node_facts(page: Any) -> dict[str, NodeFacts]:
    """Return facts by BrowserGym's id of a page that BrowserGym has marked."""
    session = page.context.new_cdp_session(page)
    try:
        snapshot = session.send("DOMSnapshot.captureSnapshot", {"computedStyles": ["display"]})
    finally:
        session.detach()
    return read_snapshot(snapshot)


def read_snapshot(snapshot: Mapping[str, Any]) -> dict[str, NodeFacts]:
    """Return the facts that a snapshot with the style ``display`` holds."""
    strings = snapshot["strings"]
    facts: dict[str, NodeFacts] = {}
    for document in snapshot["documents"]:
        clickable = set(document["nodes"].get("isClickable", {}).get("index", ()))
        layout = document["layout"]
        display = {
            node: strings[styles[0]] if styles and styles[0] >= 0 else ""
            for node, styles in zip(layout["nodeIndex"], layout["styles"], strict=False)
        }
        for node, bid in _marked(document["nodes"]["attributes"], strings):
            facts[bid] = NodeFacts(node in clickable, display.get(node, "inline").startswith("inline"))
    return facts


def _marked(attributes: Sequence[Sequence[int]], strings: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the nodes of a document that have an id, and their ids."""
    for node, pairs in enumerate(attributes):
        for name, value in zip(pairs[::2], pairs[1::2], strict=True):
            if strings[name] == BROWSERGYM_ID_ATTRIBUTE:
                yield node, strings[value]
