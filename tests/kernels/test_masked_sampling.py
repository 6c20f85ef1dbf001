"""The sampling kernel against a plain reference, known answers for its random numbers, and its distribution."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipform.kernels import masked_sampling
from slipform.kernels.masked_sampling import (
    HAS_BIAS,
    HAS_OUTPUT_PENALTY,
    HAS_REPETITION_PENALTY,
    SamplingTable,
    log_normalizers,
    sample_rows,
)


def make_table(num_rows: int, vocab_size: int, **values: Any) -> SamplingTable:
    defaults: dict[str, tuple[type, float]] = {
        "temperature": (np.float32, 1.0),
        "top_k": (np.int32, 0),
        "top_p": (np.float64, 1.0),
        "min_p": (np.float32, 0.0),
        "frequency_penalty": (np.float32, 0.0),
        "presence_penalty": (np.float32, 0.0),
        "repetition_penalty": (np.float32, 1.0),
        "seed": (np.uint64, 0),
        "flags": (np.int32, 0),
    }
    columns = {name: np.full(num_rows, values.get(name, value), dtype) for name, (dtype, value) in defaults.items()}
    shape = (num_rows, vocab_size)
    return SamplingTable(
        **columns,
        bias=np.broadcast_to(np.asarray(values.get("bias", 0), np.float32), shape).copy(),
        counts=np.broadcast_to(np.asarray(values.get("counts", 0), np.int32), shape).copy(),
        seen=np.broadcast_to(np.asarray(values.get("seen", 0), np.uint8), shape).copy(),
    )


def pack(allowed: np.ndarray) -> np.ndarray:
    padded = np.zeros((allowed.shape[0], -(-allowed.shape[1] // 32) * 32), bool)
    padded[:, : allowed.shape[1]] = allowed
    return np.packbits(padded, axis=1, bitorder="little").view(np.int32)


def sample(
    logits: np.ndarray,
    table: SamplingTable,
    positions: np.ndarray | None = None,
    allowed: np.ndarray | None = None,
    num_ids: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    rows = np.arange(len(logits))
    masks = pack(np.ones_like(logits, bool) if allowed is None else allowed)
    is_masked = np.full(len(logits), allowed is not None, np.uint8)
    ids, counts = np.empty(len(logits), np.int64), np.empty(len(logits), np.int64)
    positions = np.zeros(len(logits), np.int64) if positions is None else positions
    num_ids = logits.shape[1] if num_ids is None else num_ids
    sample_rows(logits, rows, table, rows, positions, masks, is_masked, num_ids, ids, counts)
    return ids, counts


def reference_kept(scores: np.ndarray, allowed: np.ndarray, top_k: int, top_p: float, min_p: float) -> list[int]:
    """Ids that survive mask, top-k, top-p and min-p, by sorting everything in float64."""
    order = [int(i) for i in np.lexsort((np.arange(len(scores)), -scores)) if allowed[i]]
    if top_k:
        order = order[:top_k]
    weights = np.exp(scores[order].astype(np.float64) - scores[order[0]])
    if top_p < 1:
        before = np.concatenate([[0.0], np.cumsum(weights)[:-1]])
        order = [token for token, mass in zip(order, before, strict=True) if mass < top_p * weights.sum()]
    best = scores[order[0]]
    return sorted(t for t in order if math.exp(float(scores[t]) - float(best)) >= min_p * (1 - 1e-6))


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_known_answers(counter: tuple[int, ...], key: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """The test vectors that Random123 ships for philox4x32-10."""
    words = masked_sampling.philox_4x32_10(*map(np.uint64, counter), *map(np.uint64, key))
    assert tuple(map(int, words)) == expected


def test_uniform_is_uniform_and_differs_by_seed_and_position() -> None:
    draws = np.array([[masked_sampling.uniform(np.uint64(s), np.uint64(p)) for p in range(200)] for s in range(50)])
    assert len(np.unique(draws)) == draws.size
    assert 0 < draws.min() <= draws.max() < 1
    histogram = np.histogram(draws, 20, (0, 1))[0]
    chi_square = ((histogram - draws.size / 20) ** 2 / (draws.size / 20)).sum()
    assert chi_square < 43.8  # 0.999 quantile at 19 degrees of freedom; the draws are fixed


@settings(max_examples=300)
@given(
    st.data(),
    st.integers(1, 1300),
    st.sampled_from([0, 1, 2, 7, 50]),
    st.sampled_from([1.0, 0.9, 0.5, 0.01]),
    st.sampled_from([0.0, 0.05, 0.7, 1.0]),
    st.integers(0, 2**64 - 1),
)
def test_draws_only_what_the_filters_keep(
    data: st.DataObject, size: int, top_k: int, top_p: float, min_p: float, seed: int
) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    # Coarse values make ties, and ties are where selections go wrong.
    logits = (rng.integers(-20, 20, (4, size)) / 4).astype(np.float32)
    allowed = rng.random((4, size)) < data.draw(st.sampled_from([0.02, 0.5, 1.0]))
    allowed[:, rng.integers(size)] = True
    table = make_table(4, size, temperature=2.0, top_k=top_k, top_p=top_p, min_p=min_p, seed=seed)
    ids, counts = sample(logits, table, positions=np.arange(4), allowed=allowed)
    assert counts.tolist() == allowed.sum(axis=1).tolist()
    for row, token in enumerate(ids.tolist()):
        assert token in reference_kept(logits[row] / 2, allowed[row], top_k, top_p, min_p)


def test_draw_inverts_the_distribution() -> None:
    """The token is where the cumulative mass over ascending ids passes the uniform number, filters applied."""
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 2, (200, 3000)).astype(np.float32)
    table = make_table(200, 3000, top_p=0.8, seed=11)
    ids, _ = sample(logits, table, positions=np.arange(200))
    for row, token in enumerate(ids.tolist()):
        kept = np.array(reference_kept(logits[row], np.ones(3000, bool), 0, 0.8, 0.0))
        masses = np.exp(logits[row][kept].astype(np.float64))
        target = masked_sampling.uniform(np.uint64(11), np.uint64(row))
        cumulative = np.cumsum(masses) / masses.sum()
        at = int(np.searchsorted(kept, token))
        assert kept[at] == token
        below = cumulative[at - 1] if at else 0.0
        assert below - 1e-5 <= target <= cumulative[at] + 1e-5


def test_frequencies_follow_the_softmax() -> None:
    logits = np.log(np.array([[0.5, 0.25, 0.125, 0.125]], np.float32)).repeat(20000, axis=0)
    ids, _ = sample(logits, make_table(20000, 4, seed=3), positions=np.arange(20000))
    assert np.bincount(ids, minlength=4) / 20000 == pytest.approx([0.5, 0.25, 0.125, 0.125], abs=0.012)


def test_greedy_takes_the_lowest_id_among_equals_and_no_padding() -> None:
    logits = np.zeros((3, 70), np.float32)
    logits[0, [40, 9]] = 5
    logits[1, 69] = 5
    logits[2] = -np.inf
    logits[2, 33] = -7
    ids, _ = sample(logits, make_table(3, 70, temperature=0.0), num_ids=60)
    assert ids.tolist() == [9, 0, 33]


def test_penalties_and_bias_by_hand() -> None:
    logits = np.array([[2.0, -1.0, 0.5, 0.0]], np.float32)
    counts = np.array([[3, 0, 1, 0]])
    seen = np.array([[1, 1, 0, 0]])
    cases = [
        ({"repetition_penalty": 4.0, "flags": HAS_REPETITION_PENALTY, "seen": seen}, [0.5, -4.0, 0.5, 0.0]),
        ({"frequency_penalty": 0.5, "flags": HAS_OUTPUT_PENALTY, "counts": counts}, [0.5, -1.0, 0.0, 0.0]),
        ({"presence_penalty": 1.5, "flags": HAS_OUTPUT_PENALTY, "counts": counts}, [0.5, -1.0, -1.0, 0.0]),
        ({"bias": [[0, 9.0, 0, 0]], "flags": HAS_BIAS}, [2.0, 8.0, 0.5, 0.0]),
    ]
    for values, expected in cases:
        weights = np.exp(np.array(expected))
        shares = np.zeros(4)
        rows = np.repeat(logits, 4000, axis=0)
        ids, _ = sample(rows, make_table(4000, 4, seed=1, **values), positions=np.arange(4000))
        shares = np.bincount(ids, minlength=4) / 4000
        assert shares == pytest.approx(weights / weights.sum(), abs=0.03)


def test_row_does_not_depend_on_the_batch() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (32, 5000)).astype(np.float32)
    table = make_table(32, 5000, top_p=0.95, top_k=500, seed=9)
    table.seed[:] = np.arange(32)
    together, _ = sample(logits, table, positions=np.arange(32))
    rows = np.arange(1)
    for index in range(32):
        alone, count = np.empty(1, np.int64), np.empty(1, np.int64)
        masks, unmasked = np.zeros((32, 157), np.int32), np.zeros(32, np.uint8)
        where = np.array([index])
        sample_rows(logits[index : index + 1], rows, table, where, where, masks, unmasked, 5000, alone, count)
        assert alone[0] == together[index]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_no_distribution_is_reported(temperature: float) -> None:
    logits = np.zeros((3, 40), np.float32)
    logits[0, 7] = np.nan
    logits[1] = -np.inf
    ids, _ = sample(logits, make_table(3, 40, temperature=temperature))
    assert ids[:2].tolist() == [-1, -1]
    assert ids[2] >= 0


def test_log_normalizers() -> None:
    logits = np.random.default_rng(2).normal(0, 30, (6, 999)).astype(np.float32)
    rows = np.array([5, 0, 3])
    found = np.empty(3)
    log_normalizers(logits, rows, found)
    assert found == pytest.approx(np.logaddexp.reduce(logits[rows].astype(np.float64), axis=1), rel=1e-12)
