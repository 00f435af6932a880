"""The index of keys finds exactly what is nearest, however much rows repeat each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamgym_env.memory.identity import RowId
from dreamgym_env.memory.key_index import KeyIndex, KeyLayout

WIDTHS = (6, 4)


def row(number: int, *, outcome: str = "o", source: str = "real", episode: str = "e") -> RowId:
    return RowId(source, f"q{number}", outcome, "p", "t", episode, number)


def part(rng: np.random.Generator, count: int, width: int, scale: float) -> np.ndarray:
    vectors = rng.standard_normal((count, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * scale).astype(np.float32)


def keys_of(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return keys that are combinations of few pages and few actions, as those of recorded experience are."""
    pages, actions = part(rng, 1 + count // 3, WIDTHS[0], 0.2**0.5), part(rng, 1 + count // 4, WIDTHS[1], 0.8**0.5)
    chosen = zip(rng.integers(len(pages), size=count), rng.integers(len(actions), size=count), strict=True)
    return np.stack([np.concatenate([pages[page], actions[action]]) for page, action in chosen])


def filled(keys: np.ndarray) -> KeyIndex:
    index = KeyIndex(KeyLayout(WIDTHS, by_question=True))
    for number, key in enumerate(keys):
        index.add(row(number), key)
    return index


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from([1, 7, 300, 5_000, 9_001]), st.integers(1, 70))
def test_it_finds_what_a_full_comparison_finds(seed: int, count: int, wanted: int) -> None:
    rng = np.random.default_rng(seed)
    keys, queries = keys_of(rng, count), keys_of(rng, 5)
    every = np.sort(queries @ keys.T, axis=1)[:, ::-1][:, :wanted]
    found = filled(keys).search(queries, wanted, [""] * 5)
    for query, best, near in zip(queries, every, found, strict=True):
        assert np.allclose(sorted((similarity for similarity, _ in near), reverse=True)[: len(best)], best, atol=1e-5)
        for similarity, rows in near:
            assert query @ keys[rows[0].step] == pytest.approx(similarity, abs=1e-5)


def test_a_thousand_repetitions_are_one_entry_and_hide_nothing() -> None:
    keys = keys_of(np.random.default_rng(0), 3)
    index = filled(keys)
    for number in range(1_000):
        index.add(row(0, episode=f"again{number}"), keys[0])
    near = index.search(keys[:1], 3, [""])[0]
    assert sorted(len(rows) for _, rows in near) == [1, 1, 1_001]


def test_rows_of_one_key_stand_together_by_outcome_real_ones_first() -> None:
    key = keys_of(np.random.default_rng(0), 1)[0]
    index = KeyIndex(KeyLayout(WIDTHS, by_question=True))
    imagined, real, other = row(0, source="dream"), row(0), row(0, outcome="another")
    for one in (imagined, real, other):
        index.add(one, key)
    assert [list(rows) for _, rows in index.search(key[None], 1, [""])[0]] == [[real, imagined], [other]]


def test_the_very_question_is_found_even_where_others_are_nearer() -> None:
    keys = keys_of(np.random.default_rng(0), 50)
    index = filled(keys)
    for asked in range(50):
        near = index.search(keys[:1], 1, [f"q{asked}"])[0]
        assert row(asked) in [rows[0] for _, rows in near]


def test_what_ties_with_the_last_of_the_nearest_is_found_too() -> None:
    """Which of them goes first is then for their names to say, and not for what else is in a batch."""
    key = keys_of(np.random.default_rng(0), 1)
    index = filled(np.repeat(key, 50, axis=0))
    for queries in (key, np.repeat(key, 33, axis=0)):
        for near in index.search(queries, 1, [""] * len(queries)):
            assert {rows[0] for _, rows in near} == {row(number) for number in range(50)}


def test_rows_that_leave_are_found_no_more_and_leave_no_trace() -> None:
    keys = keys_of(np.random.default_rng(0), 40)
    index = filled(keys)
    for leaving in range(39):  # past the half the index is made anew
        index.remove([row(leaving), row(999)])
        found = index.search(keys, 40, [""] * 40)
        assert {rows[0].step for near in found for _, rows in near} == set(range(leaving + 1, 40))
    assert len(index) == 1
    index.add(row(0), keys[0])
    assert index.search(keys[:1], 1, [""])[0][0][1] == [row(0)]
    index.remove([row(0), row(39)])
    assert index.search(keys, 3, [""] * 40) == [[]] * 40


def test_where_task_and_history_weigh_in_each_row_has_its_own_key() -> None:
    keys = np.eye(10, dtype=np.float32)[:2]
    index = KeyIndex(KeyLayout(WIDTHS, by_question=False))
    rows = [row(0, episode="one"), row(0, episode="two")]
    for one, key in zip(rows, keys, strict=True):
        index.add(one, key)
    assert [near[0][1] for near in index.search(keys, 1, ["", ""])] == [[rows[0]], [rows[1]]]


def test_a_similarity_is_the_same_to_the_last_digit_in_any_batch() -> None:
    rng = np.random.default_rng(5)
    keys, queries = keys_of(rng, 6_000), keys_of(rng, 90)
    together = filled(keys).search(queries, 8, [""] * 90)
    index = filled(keys)
    alone = [index.search(query[None], 8, [""])[0] for query in queries]
    assert together == alone
