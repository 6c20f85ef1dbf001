"""Triton's sampling against the CPU's, which has tests of its own: equal logits, parameters and seeds, equal tokens."""

from typing import Any

import numpy as np
import pytest
import torch

from slipform.kernels import masked_sampling
from slipform.kernels.masked_sampling import HAS_BIAS, HAS_OUTPUT_PENALTY, HAS_REPETITION_PENALTY, SamplingTable
from slipform.kernels.triton_sampling import DeviceSamplingTable, make_workspace, sample_rows
from tests.kernels.test_masked_sampling import make_table, pack

SIZE = 5000


def on_device(table: SamplingTable, device: torch.device) -> DeviceSamplingTable:
    columns = table._replace(seed=table.seed.view(np.int64))
    return DeviceSamplingTable(*(torch.from_numpy(column).to(device) for column in columns))


def both(
    device: torch.device,
    logits: np.ndarray,
    table: SamplingTable,
    allowed: np.ndarray | None = None,
    num_ids: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The ids that the CPU and the device choose; the counts of allowed tokens are compared here."""
    rows = np.arange(len(logits))
    masks = pack(np.ones_like(logits, bool) if allowed is None else allowed)
    is_masked = np.full(len(logits), allowed is not None, np.uint8)
    num_ids = logits.shape[1] if num_ids is None else num_ids
    ids, counts = np.empty(len(logits), np.int64), np.empty(len(logits), np.int64)
    masked_sampling.sample_rows(logits, rows, table, rows, rows, masks, is_masked, num_ids, ids, counts)

    def moved(array: np.ndarray, dtype: torch.dtype = torch.int32) -> torch.Tensor:
        return torch.from_numpy(array).to(device, dtype)

    has_filters = bool((table.top_k > 0).any() or (table.top_p < 1).any() or (table.min_p > 0).any())
    workspace = make_workspace(len(logits), logits.shape[1], device, filters=has_filters)
    # Poisoned, so that a row that is not written shows.
    found = torch.full((len(logits),), -7, dtype=torch.int64, device=device)
    found_counts = torch.full((len(logits),), -7, dtype=torch.int32, device=device)
    slots = moved(np.where(is_masked, rows, -1))
    sample_rows(
        moved(logits, torch.float32), moved(rows), on_device(table, device), moved(rows), moved(rows, torch.int64),
        moved(masks), slots, num_ids, found, found_counts, workspace,
    )  # fmt: skip
    assert found_counts.tolist() == counts.tolist()
    return ids, found.cpu().numpy()


def random_logits(rows: int, seed: int = 0, scale: float = 3.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, scale, (rows, SIZE)).astype(np.float32)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_equals_cpu_without_filters(gpu: torch.device, temperature: float, masked: bool) -> None:
    logits = random_logits(12)
    allowed = np.random.default_rng(1).random(logits.shape) < 0.01 if masked else None
    table = make_table(12, SIZE, temperature=temperature, seed=2**63 + 5)
    expected, found = both(gpu, logits, table, allowed)
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("top_k", "top_p", "min_p"),
    [(1, 1.0, 0.0), (20, 1.0, 0.0), (700, 1.0, 0.0), (0, 0.9, 0.0), (0, 0.01, 0.0), (0, 1.0, 0.1), (50, 0.8, 0.05)],
)
@pytest.mark.parametrize("ties", [False, True])
def test_equals_cpu_with_filters(gpu: torch.device, top_k: int, top_p: float, min_p: float, ties: bool) -> None:
    logits = random_logits(3, seed=top_k)
    if ties:
        logits = np.round(logits)
    allowed = np.random.default_rng(2).random(logits.shape) < 0.6
    table = make_table(3, SIZE, temperature=1.3, top_k=top_k, top_p=top_p, min_p=min_p, seed=7)
    expected, found = both(gpu, logits, table, allowed)
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("top_k", "top_p", "min_p"),
    [(2500, 1.0, 0.0), (0, 0.9, 0.0), (3000, 0.7, 0.01), (0, 0.999, 0.3), (4999, 0.001, 0.0)],
)
@pytest.mark.parametrize("kinds", [1, 2, 40])
def test_flat_rows_keep_the_first_of_many_equals(
    gpu: torch.device, kinds: int, top_k: int, top_p: float, min_p: float
) -> None:
    """Candidates fill several blocks, and the edge of the kept ones lies within equals."""
    logits = np.random.default_rng(kinds).integers(0, kinds, (6, SIZE)).astype(np.float32) / 16
    table = make_table(6, SIZE, top_k=top_k, top_p=top_p, min_p=min_p)
    table.seed[:] = np.arange(6)
    expected, found = both(gpu, logits, table)
    assert found.tolist() == expected.tolist()


def test_equals_cpu_with_penalties_and_bias(gpu: torch.device) -> None:
    rng = np.random.default_rng(4)
    table = make_table(
        8, SIZE, temperature=0.9, seed=3, frequency_penalty=0.5, presence_penalty=0.3, repetition_penalty=1.7,
        flags=HAS_BIAS | HAS_OUTPUT_PENALTY | HAS_REPETITION_PENALTY,
        bias=rng.normal(0, 2, (8, SIZE)), counts=rng.integers(0, 4, (8, SIZE)), seen=rng.integers(0, 2, (8, SIZE)),
    )  # fmt: skip
    table.flags[:4] = [0, HAS_BIAS, HAS_OUTPUT_PENALTY, HAS_REPETITION_PENALTY]
    table.temperature[5:] = 0.0
    expected, found = both(gpu, random_logits(8), table)
    assert found.tolist() == expected.tolist()


def test_rows_with_and_without_filters_share_a_batch(gpu: torch.device) -> None:
    table = make_table(5, SIZE, seed=9)
    table.temperature[:] = [0.0, 1.0, 1.0, 0.5, 2.0]
    table.top_k[:] = [0, 0, 10, 0, 3]
    table.top_p[:] = [1.0, 1.0, 1.0, 0.7, 0.9]
    expected, found = both(gpu, random_logits(5, seed=8), table)
    assert found.tolist() == expected.tolist()


def test_greedy_takes_the_lowest_id_among_equals_and_no_padding(gpu: torch.device) -> None:
    logits = np.zeros((3, SIZE), np.float32)
    logits[0, [4500, 2100]] = 5
    logits[1, 4999] = 5
    logits[2] = -np.inf
    logits[2, 33] = -7
    _, found = both(gpu, logits, make_table(3, SIZE, temperature=0.0), num_ids=4990)
    assert found.tolist() == [2100, 0, 33]


@pytest.mark.parametrize("values", [{"temperature": 0.0}, {}, {"top_k": 5}], ids=str)
def test_no_distribution_is_reported(gpu: torch.device, values: dict[str, Any]) -> None:
    logits = np.zeros((3, SIZE), np.float32)
    logits[0, 4007] = np.nan
    logits[1] = -np.inf
    _, found = both(gpu, logits, make_table(3, SIZE, **values))
    assert found[:2].tolist() == [-1, -1]
    assert found[2] >= 0


def test_padding_is_left_alone(gpu: torch.device) -> None:
    table = on_device(make_table(2, SIZE), gpu)
    rows = torch.tensor([-1, 1], dtype=torch.int32, device=gpu)
    ids = torch.full((2,), -7, dtype=torch.int64, device=gpu)
    counts = torch.full((2,), -7, dtype=torch.int32, device=gpu)
    logits = torch.zeros((2, SIZE), device=gpu)
    masks = torch.zeros((1, 157), dtype=torch.int32, device=gpu)
    workspace = make_workspace(2, SIZE, gpu, filters=False)
    sample_rows(
        logits, rows.clamp(min=0), table, rows, torch.zeros(2, dtype=torch.int64, device=gpu), masks,
        rows * 0 - 1, SIZE, ids, counts, workspace,
    )  # fmt: skip
    assert ids[0] == counts[0] == -7
    assert 0 <= ids[1] < SIZE
    assert counts[1] == SIZE
