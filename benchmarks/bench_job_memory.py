"""Memory of a job over many rows: what the process holds while rows come and go, with a model that answers at once.

    python benchmarks/bench_job_memory.py [--rows 200000] [--chars 1000]

A program of two holes runs over rows that a generator makes, into a file of JSON Lines. After each tenth of the rows
the resident size is read. Rows hold `--chars` characters each, so that keeping them would show at once; what may grow
is eight bytes a row, which tell a resumed job what is done. Then the finished job is resumed, which reads its journal.
"""

import argparse
import ctypes
import gc
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from common import print_result, print_table

import slipform as sf


@sf.function
def sort(s: sf.ProgramState, mail: str) -> None:
    s += "Mail: " + mail + "\nDepartment: " + sf.regex("[a-z]+", name="department")
    s += "\nUrgency: " + sf.gen("urgency", schema=int)


def rows(count: int, chars: int) -> Iterator[dict[str, str]]:
    for index in range(count):
        yield {"mail": f"{index} " + "please answer soon " * (chars // 19)}


def resident_mb() -> float:
    """Resident size of this process in MB, after what is free has been given back."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--chars", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=16)
    arguments = parser.parse_args()
    backend = sf.ScriptedBackend({"department": "billing", "urgency": "3"}, record=False)
    sizes: list[tuple[int, float]] = []

    def watched() -> Iterator[dict[str, str]]:
        for index, row in enumerate(rows(arguments.rows, arguments.chars)):
            if index % (arguments.rows // 10) == 0 and index:
                sizes.append((index, resident_mb()))
            yield row

    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.jsonl"
        sf.run_job(sort, rows(1000, arguments.chars), Path(folder) / "warm.jsonl", backend=backend)
        before = resident_mb()
        begin = time.perf_counter()
        options = {"backend": backend, "num_threads": arguments.concurrency}
        summary = sf.run_job(sort, watched(), output, **options)
        seconds = time.perf_counter() - begin
        sizes.append((arguments.rows, resident_mb()))
        written_mb = output.stat().st_size / 1e6
        resumed = sf.run_job(sort, rows(arguments.rows, arguments.chars), output, resume=True, **options)
        after_resume = resident_mb()
    if summary.num_rows != arguments.rows or summary.num_failed or resumed.num_resumed != arguments.rows:
        raise SystemExit(f"rows are missing: {summary}, {resumed}")

    print_table(
        f"{arguments.rows} rows of {arguments.chars} characters, {written_mb:.0f} MB written",
        ["rows", "resident, MB", "more than at the beginning, MB"],
        [["0", f"{before:.1f}", ""], *([count, f"{size:.1f}", f"{size - before:.1f}"] for count, size in sizes)],
    )
    figures = {
        "before_mb": before,
        "sizes_mb": dict(sizes),
        "after_resume_mb": after_resume,
        "written_mb": written_mb,
        "rows_per_s": arguments.rows / seconds,
    }
    print_result(figures, vars(arguments))


if __name__ == "__main__":
    main()
