"""Keys: unit vectors whose cosine is the weighted sum of the cosines of their parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_experience import HOUSE, query_of, walk

from dreamgym_env.errors import MissingDependencyError, ReplayBufferError
from dreamgym_env.memory.embedders import HashingEmbedder, embedder_from_name
from dreamgym_env.memory.identity import RowId
from dreamgym_env.memory.keys import KeyEncoder, KeyWeights
from dreamgym_env.types import Query, Task

EMBEDDER = HashingEmbedder(64)


def query(state: str, action: str, instruction: str = "Find the key.") -> Query:
    return Query(Task("t", HOUSE.name, instruction, state), (), state, action)


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_a_cosine_is_the_weighted_sum_of_its_parts(page: str, action: str, other_page: str, other_action: str) -> None:
    weights = KeyWeights(state=1, action=3)
    first, second = KeyEncoder(HOUSE, EMBEDDER, weights).encode([query(page, action), query(other_page, other_action)])
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
    pages = KeyEncoder(HOUSE, EMBEDDER, KeyWeights(1, 0)).encode([query(page, ""), query(other_page, "")])
    actions = KeyEncoder(HOUSE, EMBEDDER, KeyWeights(0, 1)).encode([query("", action), query("", other_action)])
    expected = (pages[0] @ pages[1] + 3 * (actions[0] @ actions[1])) / 4
    assert first @ second == pytest.approx(expected, abs=1e-5)


def test_the_instruction_is_no_part_of_the_page() -> None:
    page = "Room: hall | Task: | {} | Exit: kitchen"
    tasks = ("Find the golden key at once.", "Fetch me a rope.")
    keys = KeyEncoder(HOUSE, EMBEDDER).encode([query(page.format(task), "look", task) for task in tasks])
    assert keys[0] @ keys[1] == pytest.approx(1, abs=1e-5)


def test_the_task_and_the_history_can_weigh_in() -> None:
    encoder = KeyEncoder(HOUSE, EMBEDDER, KeyWeights(1, 1, task=1, history=1))
    same, other = walk(0)[3], walk(0, actions=("say hi", "go cellar", "look", "look"))[3]
    keys = encoder.encode([same, query_of(same), other])
    assert encoder.dimension == keys.shape[1] == 4 * EMBEDDER.dimension
    assert keys[0] @ keys[1] == pytest.approx(1, abs=1e-5)
    assert keys[0] @ keys[2] < 0.99


def test_the_canonical_action_is_embedded() -> None:
    keys = KeyEncoder(HOUSE, EMBEDDER).encode([query("page", "go kitchen"), query("page", "  GO   Kitchen ")])
    np.testing.assert_array_equal(keys[0], keys[1])


def test_no_items_give_no_rows() -> None:
    encoder = KeyEncoder(HOUSE, EMBEDDER)
    assert encoder.encode([]).shape == (0, encoder.dimension)


@pytest.mark.parametrize("weights", [(0, 0), (-1, 1), (float("nan"), 1), (float("inf"), 1)])
def test_weights_that_cannot_be_normalised_are_refused(weights: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        KeyWeights(*weights)


def test_embedders_are_found_by_their_names() -> None:
    assert embedder_from_name(EMBEDDER.name).name == EMBEDDER.name == "hash-64-v1"
    with pytest.raises(ReplayBufferError, match="hash-<dimension>-v1, wordllama"):
        embedder_from_name("word2vec")


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="pip install wordllama"):
        embedder_from_name("wordllama-l2-256")


@given(st.builds(RowId, st.just("real"), *[st.from_regex(r"[A-Za-z0-9_-]{11}", fullmatch=True)] * 5, st.integers(0)))
def test_a_row_id_is_read_back(row: RowId) -> None:
    assert RowId.parse(str(row)) == row
