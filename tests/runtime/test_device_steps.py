"""The steps of a GPU, run on a CPU with Triton's interpreter: equal text with everything that changes speed only.

The scripted model reads its context out of the KV pool through the device's slot table; only sampling is a kernel.
"""

import gc
from typing import Any

import pytest
import torch

if torch.cuda.is_available():
    pytest.skip("test_gpu_equality.py runs the same on the GPU itself", allow_module_level=True)

from slipform.grammars.spec import Regex
from slipform.kernels.attention_plan import SharedPrefixes
from slipform.runtime import cuda_graph, device_steps, engine_core, gpu_setup, shared_prefixes
from slipform.runtime.batch import ForwardBatch
from slipform.runtime.request import Fill, Segment, Text
from slipform.runtime.run_forecast import RunForecast, Visits
from tests import fakes
from tests.runtime.test_equalities import run_all, scripted_engine, workload


def _as_shared(batch: ForwardBatch, shared: SharedPrefixes, size: int, table: torch.Tensor) -> torch.Tensor:
    """The table as attention reads it: common slots from the rows that tiles name, for the tokens that they name."""
    borders = batch.cu_seqlens.tolist()
    lens = shared.lens.tolist()
    table = table.clone()
    for owner, length in enumerate(lens):
        table[owner, :length] = -1
    expected = [token for owner, length in enumerate(lens) if length for token in range(*borders[owner : owner + 2])]
    found = []
    for (row, length), tokens in zip(shared.tiles.T.tolist(), shared.tokens.view(-1, size).tolist(), strict=True):
        for token in tokens if row >= 0 else []:
            if token >= 0:
                owner = next(i for i in range(len(lens)) if borders[i] <= token < borders[i + 1])
                assert lens[owner] == length <= int(batch.positions[borders[owner]])
                table[owner, :length] = batch.slot_table[row, :length]
                found.append(token)
    assert sorted(found) == expected
    return table


class DeviceScriptedModel(fakes.ScriptedModel):
    """The scripted model, for batches as a device gets them: rows of the whole slot table, and padding."""

    num_sharing_steps = 0

    def forward(self, batch: ForwardBatch, pool: Any) -> torch.Tensor:
        plan = batch.attention_plan
        assert plan is not None
        assert plan.slot_rows is not None
        count = int(batch.cu_seqlens[-1])
        # Padded rows repeat the last border, and their logits belong to nobody.
        rows = batch.logits_rows.clamp(max=max(0, count - 1))
        table = batch.slot_table[plan.slot_rows.long()]
        if plan.shared is not None:
            table = _as_shared(batch, plan.shared, plan.sizes.shared, table)
            type(self).num_sharing_steps += count > 0
        real = ForwardBatch(
            input_ids=batch.input_ids[:count],
            positions=batch.positions[:count],
            out_slots=batch.out_slots[:count].long(),
            cu_seqlens=batch.cu_seqlens,
            seq_lens=batch.seq_lens,
            slot_table=table,
            logits_rows=rows,
            max_extend_len=batch.max_extend_len,
            max_seq_len=batch.max_seq_len,
        )
        if count == 0:
            return torch.zeros((len(rows), self.config.vocab_size))
        return super().forward(real, pool)


@pytest.fixture
def on_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines take the path of a GPU."""
    for module in (device_steps, engine_core):
        monkeypatch.setattr(module, "runs_device_steps", lambda device: True)
    monkeypatch.setattr(fakes, "ScriptedModel", DeviceScriptedModel)
    monkeypatch.setattr(gpu_setup, "step_sizes", lambda limit: [1, 4, 8, 32, 640])


@pytest.fixture(scope="module")
def expected() -> dict[str, object]:
    return run_all(scripted_engine(), workload(1, 10))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"overlap": False},
        {"cuda_graphs": False},
        {"overlap": False, "cuda_graphs": False},
        {"jump_forward": False},
        {"chunk_size": 7},
        {"prefix_cache": False, "max_sequences": 3},
    ],
    ids=str,
)
@pytest.mark.usefixtures("on_device")
def test_equals_the_steps_of_a_cpu(expected: dict[str, object], options: dict[str, int]) -> None:
    engine = scripted_engine(pool_slots=4000, **options)
    assert run_all(engine, workload(1, 10)) == expected


@pytest.mark.parametrize("options", [{}, {"cuda_graphs": False}, {"overlap": False, "pool_slots": 420}], ids=str)
@pytest.mark.usefixtures("on_device")
def test_prefixes_read_together_do_not_change_a_text(
    expected: dict[str, object], options: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_prefixes, "MIN_PREFIX_LEN", 3)
    monkeypatch.setattr(shared_prefixes, "sharing_pays", lambda *_: True)
    monkeypatch.setattr(DeviceScriptedModel, "num_sharing_steps", 0)
    engine = scripted_engine(**{"pool_slots": 4000, **options})
    assert run_all(engine, workload(1, 10)) == expected
    assert DeviceScriptedModel.num_sharing_steps > 5


@pytest.mark.usefixtures("on_device")
def test_nothing_is_shared_where_it_would_save_little(expected: dict[str, object]) -> None:
    DeviceScriptedModel.num_sharing_steps = 0
    assert run_all(scripted_engine(pool_slots=4000), workload(1, 10)) == expected
    assert DeviceScriptedModel.num_sharing_steps == 0


def commits_first_where_runs_are_known(forecast: RunForecast, visits: list[Visits | None]) -> bool:
    return any(known is not None and known.runs > 0 for known in visits)


@pytest.mark.usefixtures("on_device")
def test_waiting_for_tokens_before_runs_saves_steps_and_changes_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = Regex('\\{"name":"(Ada|Grace|Edsger)","color":"(red|green|blue)","size":"(small|large)"\\}')
    programs: list[tuple[str, list[Segment]]] = [
        (str(i), [Text(f"{i} "), Fill("x", constraint=spec)]) for i in range(4)
    ]
    found = {}
    for waits in (False, True):
        decide = commits_first_where_runs_are_known if waits else lambda forecast, visits: False
        monkeypatch.setattr(RunForecast, "pays_to_wait", decide)
        engine = scripted_engine(pool_slots=4000, max_sequences=1)
        found[waits] = run_all(engine, programs), engine.statistics().steps
    assert found[True][0] == found[False][0]
    assert found[True][1] < found[False][1]


def commits_first_where_all_end(forecast: RunForecast, visits: list[Visits | None]) -> bool:
    return all(known is not None and known.ends > 0 for known in visits)


@pytest.mark.parametrize("jump_forward", [True, False])
@pytest.mark.usefixtures("on_device")
def test_no_pass_is_launched_behind_the_end_of_a_known_grammar(
    jump_forward: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the next request need not wait for it: a request takes as many steps as its tokens need."""
    monkeypatch.setattr(RunForecast, "pays_to_wait", commits_first_where_all_end)
    spec = Regex("[a-c]{3}(x|y)")
    engine = scripted_engine(pool_slots=4000, jump_forward=jump_forward)
    steps = []
    for number in range(3):
        before = engine.statistics().steps
        run_all(engine, [(str(number), [Text("the same "), Fill("x", constraint=spec, heal=False)])])
        while engine.has_work:
            engine.step()
        steps.append(engine.statistics().steps - before)
    assert steps == [5, 4, 4]


@pytest.mark.usefixtures("on_device")
def test_a_pass_is_launched_ahead_where_others_need_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One match is complete, another sequence goes on: waiting would only cost it time."""
    asked: list[list[Visits | None]] = []

    def decide(forecast: RunForecast, visits: list[Visits | None]) -> bool:
        asked.append(visits)
        return False

    monkeypatch.setattr(RunForecast, "pays_to_wait", decide)
    engine = scripted_engine(pool_slots=4000, chunk_size=16)
    short, long = Fill("x", constraint=Regex("[a-c]{3}(x|y)")), Text("a long text " * 12)
    run_all(engine, [("short", [Text("the same "), short]), ("long", [long, short])])
    assert any(visits[-1] is None for visits in asked)
    assert any(len(visits) == 1 and visits[0] is not None for visits in asked)


@pytest.mark.usefixtures("on_device")
def test_no_garbage_is_collected_while_steps_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    collecting: list[bool] = []
    usual = cuda_graph.run_forward

    def forward(*arguments: Any) -> torch.Tensor:
        collecting.append(gc.isenabled())
        return usual(*arguments)

    monkeypatch.setattr(cuda_graph, "run_forward", forward)
    scripted_engine(pool_slots=4000)
    assert collecting
    assert not any(collecting)
    assert gc.isenabled()
