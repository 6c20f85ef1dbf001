"""Jobs over files: formats, a journal that survives a kill, rows that fail, rows that are tried again."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

import slipform as sf
from slipform.errors import BackendUnreachable, CapacityError, ConfigError, DeadlineExceeded, ProgramError
from slipform.lang.backend import Call, Listener
from slipform.lang.job import run_job
from slipform.lang.journal import Journal
from slipform.lang.rows import UnreadableRow, count_rows, read_rows
from slipform.lang.usage import Prices, Usage, usage_of
from slipform.runtime.request import GenerateRequest, RequestFailed


@sf.function
def double(s: sf.ProgramState, number: Any) -> None:
    if number == 13:
        raise ValueError("unlucky")
    s += "twice " + str(number) + " is " + sf.gen("result", schema=int)


@sf.function
def plain(s: sf.ProgramState, number: int) -> None:
    s += "twice " + str(number) + " is " + sf.gen("result", schema=int)


def doubled(name: str, before: str) -> str:
    return str(2 * int(before.split()[1]))


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def backend() -> sf.ScriptedBackend:
    return sf.ScriptedBackend(doubled)


class Flaky(sf.ScriptedBackend):
    """Refuses the first requests of a row for a passing reason."""

    def __init__(self, failures: int, error: Exception) -> None:
        super().__init__(doubled)
        self.left = failures
        self.error = error

    def submit(self, request: GenerateRequest, listener: Listener) -> Call:
        if self.left and len(request.segments) > 1:
            self.left -= 1
            call = super().submit(request, lambda event: None)
            listener(RequestFailed(request.request_id, self.error))  # type: ignore[arg-type]
            return call
        return super().submit(request, listener)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slipform.lang.batch._FIRST_PAUSE_S", 0.001)


# Files


def test_rows_of_each_format(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"number": 1}\n\n{"number": 2}\n[3]\nnot json\n')
    assert list(read_rows(tmp_path / "a.jsonl")) == [
        {"number": 1},
        {"number": 2},
        UnreadableRow("[3]", "not a JSON object"),
        UnreadableRow("not json", "not JSON: Expecting value: line 1 column 1 (char 0)"),
    ]
    (tmp_path / "a.csv").write_bytes(b'\xef\xbb\xbfnumber,text\n1,"a, ""b""\nc"\n2\n')
    assert list(read_rows(tmp_path / "a.csv")) == [
        {"number": "1", "text": 'a, "b"\nc'},
        UnreadableRow("2", "1 cells, and the header has 2"),
    ]
    table = pyarrow.table({"number": [1, None], "tags": [["x"], []]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert list(read_rows(tmp_path / "a.parquet")) == [{"number": 1, "tags": ["x"]}, {"number": None, "tags": []}]
    assert [count_rows(tmp_path / name) for name in ("a.jsonl", "a.csv", "a.parquet")] == [4, 2, 2]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("nowhere.jsonl", None, "cannot be read"),
        ("a.jsonl", b"\xff\xfe", "cannot be read"),
        ("a.csv", b"a,a\n1,2\n", "two columns have one name"),
        ("a.csv", b'a\n"open\n', "line 2 of the CSV file"),
        ("a.parquet", b"no parquet", "cannot be read"),
    ],
)
def test_files_that_are_none_say_so(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        list(read_rows(path))


# Jobs


def test_every_row_has_one_record(tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows.write_text('{"number": 5}\n{"number": 13}\nnot json\n{"number": 6}\n')
    summary = run_job(double, rows, out, backend=backend())
    assert (summary.num_rows, summary.num_resumed, summary.num_failed) == (4, 0, 2)
    assert [(line["row"], line["output"], line["error"] and line["error"]["type"]) for line in lines_of(out)] == [
        (0, {"result": 10}, None),
        (1, {}, "ValueError"),
        (2, {}, "RowError"),
        (3, {"result": 12}, None),
    ]


def test_an_output_is_never_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    run_job(double, [{"number": 1}], out, backend=backend())
    before = out.read_bytes()
    with pytest.raises(ConfigError, match=r"--output: .*exists; resume it or choose another file"):
        run_job(double, [{"number": 2}], out, backend=backend())
    assert out.read_bytes() == before


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize(
    "torn", [b"", b'{"row": 3, "inp', b'{"row": 3, "input": {"number": 3}, "output": {}, "error": null}']
)
def test_a_job_goes_on_where_it_was(tmp_path: Path, torn: bytes, ordered: bool) -> None:
    rows = [{"number": index} for index in range(12)]
    out = tmp_path / "out.jsonl"
    run_job(double, rows, out, limit=6, backend=backend(), ordered=ordered)
    kept = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(b"".join(kept[:2] + kept[4:]) + torn)
    rest = backend()
    summary = run_job(double, rows, out, resume=True, backend=rest, ordered=ordered)
    assert summary.num_resumed == 4
    assert sum(len(request.segments) > 1 for request in rest.requests) == 8
    assert sorted((line["row"], line["output"]["result"]) for line in lines_of(out)) == [
        (index, 2 * index) for index in range(12)
    ]


def test_a_job_does_not_go_on_with_another_input(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    run_job(double, [{"number": 1}, {"number": 2}], out, backend=backend())
    with pytest.raises(ConfigError, match="row 1 of the input is not the row 1 that"):
        run_job(double, [{"number": 1}, {"number": 3}], out, resume=True, backend=backend())


def test_what_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text('{"row": 0, "input": 1, "output": {}, "error": null}\n{"my": "data"}\n')
    with pytest.raises(ConfigError, match=r"line 2 of .* is no line of a job's output"):
        run_job(double, [{"number": 1}], out, resume=True, backend=backend())
    assert out.read_text().endswith('{"my": "data"}\n')


@pytest.mark.skipif(sys.platform == "win32", reason="files are not locked there")
def test_one_job_at_a_time_writes_an_output(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with Journal(out, resume=False), pytest.raises(ConfigError, match="in use by another job"):
        run_job(double, [{"number": 1}], out, resume=True, backend=backend())


def test_failed_rows_run_again_on_request(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    rows = [{"number": 1}, {"number": 2}, {"number": 13}]
    away = Flaky(1, CapacityError("away"))
    assert run_job(double, rows, out, retries=0, num_threads=1, backend=away).num_failed == 2
    assert run_job(double, rows, out, resume=True, backend=backend()).num_failed == 2
    summary = run_job(double, rows, out, resume=True, retry_failed=True, backend=backend())
    assert (summary.num_rows, summary.num_resumed, summary.num_failed) == (3, 1, 1)
    assert sorted((line["row"], line["error"] is None) for line in lines_of(out)) == [(0, True), (1, True), (2, False)]


KILLED = """
import sys
import slipform as sf
from slipform.lang.job import run_job

@sf.function
def double(s, number):
    s += "twice " + str(number) + " is " + sf.gen("result", schema=int)

backend = sf.ScriptedBackend(lambda name, before: str(2 * int(before.split()[1])))
rows = ({"number": index} for index in range(100_000))
run_job(double, rows, sys.argv[1], backend=backend, ordered=sys.argv[2] == "ordered", num_threads=8)
"""


@pytest.mark.parametrize("order", ["ordered", "completed"])
def test_a_killed_process_loses_no_row_and_repeats_none(tmp_path: Path, order: str) -> None:
    out = tmp_path / "out.jsonl"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(out), order])
    while process.poll() is None and (not out.exists() or out.stat().st_size < 20_000):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    complete = out.read_bytes().count(b"\n")
    assert complete >= 100
    total = complete + 50
    rows = [{"number": index} for index in range(total)]
    summary = run_job(plain, rows, out, resume=True, backend=backend(), ordered=order == "ordered")
    assert summary.num_resumed >= complete - 16  # rows beyond `total` may have been finished ahead of their turn
    found = [line["row"] for line in lines_of(out)]
    assert len(found) == len(set(found))
    assert set(range(total)) <= set(found)


def test_rows_are_read_as_they_are_needed() -> None:
    taken = 0

    def rows() -> Iterator[dict[str, int]]:
        nonlocal taken
        for index in range(1_000_000):
            taken += 1
            yield {"number": index}

    finished = double.iter_batch(rows(), num_threads=4, backend=backend())
    assert [next(finished)[0] for _ in range(10)] == list(range(10))
    assert taken <= 10 + 2 * 4 + 2
    finished.close()  # type: ignore[attr-defined]


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """What a finished row leaves behind is far less than the row."""

    class Forgetful(sf.ScriptedBackend):
        def submit(self, request: GenerateRequest, listener: Listener) -> Call:
            call = super().submit(request, listener)
            self.requests.clear()
            return call

    @sf.function
    def reads(s: sf.ProgramState, number: int, text: str) -> None:
        s += "twice " + str(number) + " is " + sf.gen("result", schema=int)

    def job(count: int) -> int:
        rows = ({"number": index, "text": "x" * 5_000} for index in range(count))
        tracemalloc.start()
        run_job(reads, rows, tmp_path / f"{count}.jsonl", backend=Forgetful(doubled), num_threads=2)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    job(20)
    assert job(400) < job(50) + 200 * 5_000


# Tables


def test_outputs_as_csv_and_parquet(tmp_path: Path) -> None:
    @sf.function
    def mixed(s: sf.ProgramState, number: int) -> None:
        s += str(number) + sf.gen("price", schema=float) + sf.gen("tags", schema=list[str]) + sf.gen("number")
        if number == 3:
            raise ValueError("three")

    answers = sf.ScriptedBackend({"price": "1.5", "tags": '["a","b"]', "number": "one"})
    rows = [{"number": 1}, {"number": 3}]
    run_job(mixed, rows, tmp_path / "out.parquet", backend=answers)
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert table.schema.field("price").type == pyarrow.float64()
    assert table.schema.field("number").type == pyarrow.int64()
    assert table.to_pylist()[0] == {
        "row": 0,
        "number": 1,
        "price": 1.5,
        "tags": '["a", "b"]',
        "output.number": "one",
        "error": None,
    }
    assert table.to_pylist()[1]["error"] == "ValueError: three"
    run_job(mixed, rows, tmp_path / "out.csv", backend=answers)
    with (tmp_path / "out.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["row"], line["tags"], line["error"]) for line in lines] == [
        ("0", '["a", "b"]', ""),
        ("1", "", "ValueError: three"),
    ]
    # Resuming a finished table runs nothing and gives the same table.
    nothing = sf.ScriptedBackend({})
    assert run_job(mixed, rows, tmp_path / "out.parquet", resume=True, backend=nothing).num_resumed == 2
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet") == table
    os.unlink(tmp_path / "out.csv.jsonl")
    with pytest.raises(ConfigError, match="to resume it is gone"):
        run_job(mixed, rows, tmp_path / "out.csv", resume=True, backend=answers)


# Trying again


@pytest.mark.parametrize("error", [CapacityError("full"), BackendUnreachable("away"), DeadlineExceeded("r", 5.0)])
def test_passing_failures_are_tried_again(error: Exception) -> None:
    flaky = Flaky(2, error)
    assert [state["result"] for state in double.run_batch([{"number": 4}], retries=2, backend=flaky)] == [8]
    (state,) = double.run_batch([{"number": 4}], retries=1, backend=Flaky(2, error))
    assert type(error).__name__ in str(state.error())


def test_lasting_failures_are_not_tried_again() -> None:
    calls = 0

    @sf.function
    def fails(s: sf.ProgramState, x: int) -> None:
        nonlocal calls
        calls += 1
        raise ValueError("always")

    (state,) = fails.run_batch([{"x": 1}], retries=5, backend=backend())
    assert (calls, type(state.error())) == (1, ValueError)
    with pytest.raises(ProgramError, match="retries=-1 must be at least 0"):
        fails.run_batch([{"x": 1}], retries=-1, backend=backend())


def test_async_programs_are_tried_again_and_come_in_order() -> None:
    @sf.function
    async def adouble(s: sf.ProgramState, number: int) -> None:
        s += "twice " + str(number) + " is " + sf.gen("result", schema=int)
        await s.aget("result")

    rows = ({"number": index} for index in range(30))
    finished = list(adouble.iter_batch(rows, retries=3, num_threads=4, backend=Flaky(3, CapacityError("full"))))
    assert [(index, state["result"]) for index, state in finished] == [(index, 2 * index) for index in range(30)]


def test_usage_counts_a_request_once_and_prices_apply() -> None:
    @sf.function
    def two(s: sf.ProgramState) -> None:
        s += "ab" + sf.gen("x") + "cd" + sf.gen("y")
        s.set_var("z", "1")

    state = two.run(backend=sf.ScriptedBackend({"x": "one", "y": "three"}))
    usage = usage_of(state)
    metas = [state.get_meta_info(name) for name in "xy"]
    assert metas[0]["id"] == metas[1]["id"]
    assert usage.prompt_tokens == metas[0]["prompt_tokens"]
    assert usage.completion_tokens == metas[0]["completion_tokens"] + metas[1]["completion_tokens"]
    assert Prices(2.0, 8.0).of(Usage(1_000_000, 0, 500_000)) == pytest.approx(6.0)


# The page


def test_the_page_on_jobs_runs_and_prints_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "jobs.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(python|text)\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 6
    scores = {"billing": "twice", "technical": "crashes", "shipping": "Where"}

    def department(name: str, before: str) -> str:
        return next(department for department, word in scores.items() if word in before)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sf.global_config, "default_backend", sf.ScriptedBackend(department))
    names: dict[str, Any] = {"__name__": "jobs"}
    for (kind, code), (shown_as, shown) in zip(blocks[::2], blocks[1::2], strict=True):
        assert (kind, shown_as) == ("python", "text")
        exec(compile(code, "jobs.md", "exec"), names)
        assert capsys.readouterr().out == shown
