"""Progress of a batch on the terminal: rows, rates, tokens and what they cost."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from slipform.lang.state import ProgramState
from slipform.lang.usage import Prices, Usage, usage_of


class BatchProgress:
    """A progress bar on the terminal's error stream.

    Attributes:
        usage: of the rows so far. num_rows, num_failed: rows so far, and those of them that failed.
    """

    def __init__(
        self, total: int | None, label: str, *, done: int = 0, prices: Prices | None = None, shown: bool = True
    ) -> None:
        """
        Args:
            total: rows there are, or None. done: how many of them an earlier run has finished.
        """
        self.usage = Usage()
        self.num_rows = 0
        self.num_failed = 0
        self._prices = prices
        self._began = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rates]}", style="dim"),
            TextColumn("{task.fields[failed]}", style="red"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not shown,
        )
        self._task = self._progress.add_task(label, total=total, completed=done, failed="", rates="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def add(self, state: ProgramState) -> None:
        """One more row is over."""
        self.num_rows += 1
        self.num_failed += state.error() is not None
        self.usage += usage_of(state)
        self._progress.update(
            self._task,
            advance=1,
            failed=f"{self.num_failed} failed" if self.num_failed else "",
            rates=" · ".join(self.rates()),
        )

    def rates(self) -> list[str]:
        """Rows and written tokens a second, and the cost so far where prices are known."""
        elapsed_s = max(1e-9, time.monotonic() - self._began)
        parts = [f"{self.num_rows / elapsed_s:.1f} rows/s", f"{self.usage.completion_tokens / elapsed_s:.0f} tokens/s"]
        if self._prices is not None:
            parts.append(f"cost {self._prices.of(self.usage):.4g}")
        return parts
