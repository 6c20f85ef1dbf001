"""What is measured once for a GPU is kept on disk; how attention is divided follows from the model."""

from pathlib import Path

import pytest
import torch

from slipform.kernels.attention_plan import INVARIANT_SPLITS, AttentionSettings
from slipform.runtime.attention_tuning import attention_settings
from slipform.runtime.measured_choices import remembered
from tests.fakes import ScriptedModel


def test_measured_once(tmp_path: Path) -> None:
    calls: list[str] = []

    def measure(key: str) -> list[int]:
        calls.append(key)
        return [len(calls)]

    assert remembered("kind", "a", lambda: measure("a"), folder=tmp_path) == [1]
    assert remembered("kind", "b", lambda: measure("b"), folder=tmp_path) == [2]
    assert remembered("kind", "a", lambda: measure("a"), folder=tmp_path) == [1]
    assert remembered("other kind", "a", lambda: measure("other"), folder=tmp_path) == [3]
    assert calls == ["a", "b", "other"]
    # One file a kind, named after the GPU and the versions, and no draft left behind.
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name.partition("-")[0] for name in names] == ["kind", "other kind"]
    assert all(torch.__version__ in name and name.endswith(".json") for name in names)


def test_a_measurement_that_fails_is_not_kept(tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("no room")

    with pytest.raises(RuntimeError, match="no room"):
        remembered("kind", "a", fail, folder=tmp_path)
    assert remembered("kind", "a", lambda: 5, folder=tmp_path) == 5


def test_settings_without_a_gpu_are_the_usual_ones() -> None:
    model = ScriptedModel(400, eos_id=398)
    settings = attention_settings(model, in_float8=False, deterministic=False, max_context=1000)
    assert settings.few_shape is settings.many_shape is None
    assert settings.fixed_splits == settings.split_len == 0


@pytest.mark.parametrize("context", [1, 2048, 2049, 16384, 16385, 1_000_000])
def test_fixed_splits_cover_the_longest_context(context: int) -> None:
    settings = AttentionSettings.of_model([(8, 128)], 32, invariant_up_to=context)
    assert settings.fixed_splits <= INVARIANT_SPLITS
    assert settings.fixed_splits * settings.split_len >= context
    plan = settings.plan_lens([5000, 1], "cpu")
    # Runs of any length take tiles of one kind, and their number does not change the splits.
    assert plan.many.shape[1] == 0
    assert plan.num_splits == settings.fixed_splits
