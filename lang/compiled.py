"""A compiled program: its plan, its constraints, and what is kept warm while it runs."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from slipform.errors import InvalidRequest
from slipform.grammars.spec import GrammarSpec
from slipform.lang import ir
from slipform.lang.backend import Backend, MeasuresConstraints, PinsPrefixes
from slipform.lang.faults import as_fill_error
from slipform.lang.plan import Plan, describe_constraint, make_plan
from slipform.lang.plan_pictures import dot, mermaid
from slipform.lang.run import Stream
from slipform.lang.state import ProgramState
from slipform.lang.tool_styles import call_style
from slipform.lang.tracer import CONSTANT_NODES, Trace

if TYPE_CHECKING:
    from slipform.lang.program import Program

Row = Mapping[str, Any] | Sequence[Any]


@dataclass(frozen=True, slots=True)
class CompiledConstraint:
    """A constraint that the backend has compiled.

    Attributes:
        num_bytes: memory of its tables, or None where the backend does not say. compile_s: how long it took this time.
    """

    spec: GrammarSpec
    num_bytes: int | None
    compile_s: float

    def __str__(self) -> str:
        size = "" if self.num_bytes is None else f", {self.num_bytes / 1024:.1f} KiB"
        return f"{describe_constraint(self.spec)}{size}, compiled in {self.compile_s * 1e3:.1f} ms"


class CompiledProgram:
    """A program made ready for one backend. Make one with `program.compile()`.

    It runs as the program does, with the same text. While a batch runs, and all the time inside a `with` block, the
    constant prefix is kept in the backend's cache, whatever else the backend does meanwhile.

        with program.compile(backend=engine) as compiled:
            print(compiled)
            states = compiled.run_batch(rows)

    Attributes:
        program: with the arguments that `compile` got bound to it. plan: what a run sends; `print` it.
        constraints: every constraint that the plan shows, compiled. trace: the nodes behind the plan.
    """

    def __init__(self, program: "Program", backend: Backend, trace: Trace, *, fuse: bool) -> None:
        self.program = program
        self.backend = backend
        self.trace = trace
        self.fuse = fuse
        self.plan: Plan = make_plan(trace, fuse=fuse, style=call_style(backend.chat_template))
        self.constraints = tuple(self._compile(spec) for spec in self.plan.constraints)
        self._lock = threading.Lock()
        self._num_users = 0
        self._release: Callable[[], None] | None = None

    def __repr__(self) -> str:
        return f"<CompiledProgram {self.program.name}>"

    def __str__(self) -> str:
        """The plan, and below it the constraints with their sizes."""
        lines = [str(self.plan)]
        if self.constraints:
            lines.append("constraints:")
            lines.extend(f"  {constraint}" for constraint in self.constraints)
        return "\n".join(lines)

    def print_graph(self) -> None:
        """Print what `str` gives; SGLang's name for it."""
        print(self)

    def to_dot(self) -> str:
        """The plan in Graphviz's language."""
        return dot(self.plan)

    def to_mermaid(self) -> str:
        """The plan as a Mermaid flowchart."""
        return mermaid(self.plan)

    # Running

    def run(self, *args: Any, **kwargs: Any) -> ProgramState:
        """`Program.run`."""
        return self.program.run(*args, backend=self.backend, fuse=self.fuse, **kwargs)

    async def arun(self, *args: Any, **kwargs: Any) -> ProgramState:
        """`Program.arun`."""
        return await self.program.arun(*args, backend=self.backend, fuse=self.fuse, **kwargs)

    def stream(self, *args: Any, **kwargs: Any) -> Stream:
        """`Program.stream`."""
        return self.program.stream(*args, backend=self.backend, fuse=self.fuse, **kwargs)

    def run_batch(self, batch_kwargs: Sequence[Row], *, generator_style: bool = False, **options: Any) -> Any:
        """`Program.run_batch`, in an order in which rows that share the beginning of their text follow each other.

        Returns: the states in the order of the rows; with `generator_style` an iterator of them.
        """
        states = self._run_batch(batch_kwargs, options)
        return states if generator_style else list(states)

    async def arun_batch(self, batch_kwargs: Sequence[Row], **options: Any) -> list[ProgramState]:
        """`run_batch` on an event loop."""
        order = self.order(batch_kwargs)
        self._enter()
        try:
            states = await self.program.arun_batch(
                [batch_kwargs[index] for index in order], backend=self.backend, fuse=self.fuse, **options
            )
        finally:
            self._exit()
        by_row = dict(zip(order, states, strict=True))
        return [by_row[index] for index in range(len(order))]

    def order(self, rows: Sequence[Row]) -> list[int]:
        """Indices of rows in the order in which `run_batch` takes them.

        Rows are sorted by the arguments that stand in the text before the first hole, first of these first, so that
        equal beginnings are computed once and are still in the cache when the next row comes.
        """
        # `row['text'].strip()` counts as its argument, `row`.
        names = [re.split(r"\W", node.expression)[0] for node in self._leading() if isinstance(node, ir.Argument)]
        positional = self.program.parameters[len(self.program.bound_args) :]

        def key(index: int) -> tuple[str, ...]:
            row = rows[index]
            if not isinstance(row, Mapping):
                row = dict(zip(positional, row, strict=False))
            return tuple(str(row.get(name, "")) for name in names)

        return sorted(range(len(rows)), key=key)

    def __enter__(self) -> "CompiledProgram":
        self._enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit()

    # Inside

    def _compile(self, spec: GrammarSpec) -> CompiledConstraint:
        begin = time.perf_counter()
        try:
            self.backend.prepare([spec])
            compile_s = time.perf_counter() - begin
            num_bytes = self.backend.constraint_bytes(spec) if isinstance(self.backend, MeasuresConstraints) else None
        except InvalidRequest as error:
            holes = [node for node in self.trace.walk() if isinstance(node, ir.Gen) and node.constraint == spec]
            names = ", ".join(node.describe() for node in holes) or "select"
            where = ", ".join(str(node.origin) for node in holes if node.origin)
            raise as_fill_error(error, program=self.program.name, primitive=names, where=where) from error
        return CompiledConstraint(spec, num_bytes, compile_s)

    def _leading(self) -> Iterator[ir.Expr]:
        for node in self.trace.nodes:
            if not isinstance(node, (*CONSTANT_NODES, ir.Argument)):
                return
            yield node

    def _run_batch(self, rows: Sequence[Row], options: dict[str, Any]) -> Iterator[ProgramState]:
        order = self.order(rows)
        self._enter()
        try:
            states = self.program.run_batch(
                [rows[index] for index in order],
                backend=self.backend,
                fuse=self.fuse,
                generator_style=True,
                **options,
            )
            waiting: dict[int, ProgramState] = {}
            due = 0
            for index, state in zip(order, states, strict=True):
                waiting[index] = state
                while due in waiting:
                    yield waiting.pop(due)
                    due += 1
        finally:
            self._exit()

    def _enter(self) -> None:
        """Warm and pin the constant prefix for its first user."""
        with self._lock:
            self._num_users += 1
            if self._num_users > 1:
                return
            token_ids = self.program.warm_prefix(self.backend, self.trace)
            if token_ids and isinstance(self.backend, PinsPrefixes):
                self._release = self.backend.pin(token_ids)

    def _exit(self) -> None:
        with self._lock:
            self._num_users -= 1
            if self._num_users == 0 and self._release is not None:
                self._release()
                self._release = None
