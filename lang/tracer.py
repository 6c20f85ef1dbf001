"""Runs a program on placeholders to learn its nodes.

Text and holes are recorded. A placeholder goes wherever text may go; where Python needs its value (an `if`, `int(…)`,
`len(…)`), the program cannot go on without a run, so the trace ends there and says why.
"""

import contextvars
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from slipform.errors import VariableError
from slipform.lang import ir
from slipform.lang.state import ProgramState
from slipform.lang.steps import done
from slipform.lang.tool_styles import IN_WORDS, CallStyle
from slipform.runtime.request import FillResult


class TraceEnd(BaseException):
    """Leaves the program from the place where its next step depends on a value that only a run has.

    It is no Exception, so that `except Exception` in a program does not catch it.
    """

    def __init__(self, reason: str, origin: ir.Origin | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.origin = origin


_active: contextvars.ContextVar["Recorder | None"] = contextvars.ContextVar("slipform_trace", default=None)


def active_trace() -> "Recorder | None":
    """The recorder of the trace that this code runs in, if it does."""
    return _active.get()


class Placeholder(ir.Expr):
    """Stands for a value that is not known yet. Text may be joined to it; reading it ends the trace."""

    __slots__ = ("_make", "_text")

    def __init__(self, make: Callable[[str], ir.Expr], text: str) -> None:
        self._make = make
        self._text = text

    def node(self) -> ir.Expr:
        return self._make(self._text)

    def describe(self) -> str:
        return self._text

    def _derive(self, suffix: str) -> "Placeholder":
        return Placeholder(self._make, f"{self._text}{suffix}")

    def __getattr__(self, name: str) -> "Placeholder":
        if name.startswith("_"):
            raise AttributeError(name)
        return self._derive(f".{name}")

    def __getitem__(self, key: object) -> "Placeholder":
        return self._derive(f"[{key!r}]")

    def __call__(self, *args: object, **kwargs: object) -> "Placeholder":
        shown = [repr(arg) for arg in args] + [f"{key}={value!r}" for key, value in kwargs.items()]
        return self._derive(f"({', '.join(shown)})")

    def __repr__(self) -> str:
        return self._text

    def _end(self, action: str) -> NoReturn:
        raise TraceEnd(f"{action} {self._text}", ir.caller_origin())

    def __bool__(self) -> bool:
        self._end("decides by")

    def __eq__(self, other: object) -> bool:
        self._end(f"compares with {other!r}:")

    def __ne__(self, other: object) -> bool:
        self._end(f"compares with {other!r}:")

    def __lt__(self, other: object) -> bool:
        self._end(f"compares with {other!r}:")

    __le__ = __gt__ = __ge__ = __lt__

    def __hash__(self) -> int:
        self._end("looks up")

    def __len__(self) -> int:
        self._end("counts")

    def __iter__(self) -> Iterator[Any]:
        self._end("iterates over")

    def __contains__(self, item: object) -> bool:
        self._end(f"searches {item!r} in")

    def __int__(self) -> int:
        self._end("converts")

    def __float__(self) -> float:
        self._end("converts")

    def __index__(self) -> int:
        self._end("counts by")

    def __str__(self) -> str:
        self._end("converts to str")


@dataclass(frozen=True, slots=True)
class Trace:
    """What a program does, as far as it does not depend on values.

    Attributes:
        nodes: in order; branches of forks inside Fork nodes.
        open_end: why the trace ended early ("decides by s['tool']"), or None when the program ended.
        origin: the line of that place. result: what the program returned.
    """

    program: str
    nodes: tuple[ir.Expr, ...]
    open_end: str | None = None
    origin: ir.Origin | None = None
    result: Any = field(default=None, compare=False)

    def walk(self) -> Iterator[ir.Expr]:
        return ir.walk(self.nodes)

    def constant_prefix(self) -> tuple[ir.Expr, ...]:
        """The leading nodes that are the same in every run: constant text and roles, up to the first hole or value."""
        prefix: list[ir.Expr] = []
        for node in self.nodes:
            if not isinstance(node, CONSTANT_NODES):
                break
            prefix.append(node)
        return tuple(prefix)

    def print_graph_dfs(self) -> None:
        """Print the nodes, one a line, branches indented."""
        print(self)

    def __str__(self) -> str:
        lines = [f"{self.program}:"]

        def show(nodes: Sequence[ir.Expr], depth: int) -> None:
            for node in nodes:
                lines.append(f"{'  ' * depth}{node.describe()}")
                if isinstance(node, ir.Fork):
                    for index, branch in enumerate(node.branches):
                        lines.append(f"{'  ' * (depth + 1)}branch {index}:")
                        show(branch, depth + 2)

        show(self.nodes, 1)
        if self.open_end is not None:
            lines.append(f"  … {self.open_end}" + (f" ({self.origin})" if self.origin else ""))
        return "\n".join(lines)


CONSTANT_NODES = (ir.Constant, ir.ToolPrompt, ir.RoleBegin, ir.RoleEnd, ir.ScopeBegin, ir.ScopeEnd)
"""Nodes that are the same in every run."""


class Recorder:
    """The machine behind a state that is being traced."""

    def __init__(self, program: str) -> None:
        self.program = program
        self.failure: BaseException | None = None
        self.runs_calls = False
        self.nodes: list[ir.Expr | _OpenFork] = []
        self._names: list[str] = []

    def append(self, value: object) -> None:
        for node in ir.flatten(value):
            self.nodes.append(node)
            for part in ir.walk((node,)):
                for name in ir.names_of(part):
                    self._add(name)
                    if isinstance(node, ir.Reasoning):
                        self._add(f"{name}_reasoning_content")
            if isinstance(node, ir.ScopeEnd):
                self._add(node.name)

    def _add(self, name: str) -> None:
        if name not in self._names:
            self._names.append(name)

    def _look(self, expression: str) -> Placeholder:
        self.nodes.append(ir.Look(expression, ir.caller_origin()))
        return Placeholder(ir.Variable, expression)

    def names(self) -> list[str]:
        return list(self._names)

    def contains(self, name: str) -> bool:
        return name in self._names

    def value(self, name: str) -> Any:
        if name not in self._names:
            known = ", ".join(map(repr, self._names)) or "none"
            raise VariableError(f"no such variable; known: {known}", program=self.program, primitive=f"s[{name!r}]")
        return self._look(f"s[{name!r}]")

    def variable_text(self, name: str) -> Any:
        return self.value(name)

    def set_value(self, name: str, value: Any) -> None:
        self._add(name)

    def meta(self, name: str) -> Any:
        return self._look(f"s.get_meta_info({name!r})")

    def fill_results(self, name: str) -> tuple[FillResult, ...]:
        raise TraceEnd(f"reads the fills of {name!r}", ir.caller_origin())

    def run_trace(self) -> NoReturn:
        raise TraceEnd("reads the trace of the run", ir.caller_origin())

    def text(self) -> Any:
        return self._look("s.text()")

    def message_list(self) -> Any:
        return self._look("s.messages()")

    def value_waits(self, name: str) -> "list[Future[Any]]":
        return []

    def meta_waits(self, name: str) -> "list[Future[Any]]":
        return []

    def text_waits(self) -> "list[Future[Any]]":
        return []

    def must_await(self) -> bool:
        return False

    def call_style(self) -> CallStyle:
        return IN_WORDS

    def abort(self) -> None:
        """Nothing runs in a trace."""

    def finish(self) -> "Future[Any]":
        return done(None)

    def fork(self, size: int) -> "Sequence[Recorder]":
        branches = tuple(Recorder(self.program) for _ in range(size))
        for branch in branches:
            branch._names = list(self._names)
        self.nodes.append(_OpenFork(branches))
        return branches

    def gather(self, branches: "Sequence[Recorder]") -> None:
        self.nodes.append(ir.Join("gather_variable"))
        for branch in branches:
            for name in branch._names:
                self._add(name)

    def concatenate(self, branches: "Sequence[Recorder]") -> None:
        self.nodes.append(ir.Join("concate_and_append"))

    def frozen(self) -> tuple[ir.Expr, ...]:
        """The nodes so far, with the branches of forks as they are now."""
        return tuple(
            ir.Fork(tuple(branch.frozen() for branch in node.branches)) if isinstance(node, _OpenFork) else node
            for node in self.nodes
        )


@dataclass(frozen=True, slots=True, eq=False)
class _OpenFork(ir.Expr):
    """A fork whose branches may still grow."""

    branches: tuple[Recorder, ...]


@contextmanager
def tracing(recorder: Recorder) -> Iterator[None]:
    token = _active.set(recorder)
    try:
        yield
    finally:
        _active.reset(token)


def trace_program(
    function: Callable[..., Any],
    program: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    strict: bool = True,
) -> Trace:
    """Trace `function`; parameters without a value get placeholders.

    Args:
        strict: errors of the program are raised. Otherwise they end the trace where they happen: a program that cannot
            run on placeholders still has a beginning.
    """
    recorder = Recorder(program)
    state = ProgramState(recorder)
    bound = inspect.signature(function).bind_partial(state, *args, **kwargs)
    for name, parameter in list(bound.signature.parameters.items())[1:]:
        if name in bound.arguments:
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        bound.arguments[name] = (
            parameter.default if parameter.default is not parameter.empty else Placeholder(ir.Argument, name)
        )
    result: Any = None
    open_end: str | None = None
    origin: ir.Origin | None = None
    with tracing(recorder):
        try:
            result = function(*bound.args, **bound.kwargs)
            if inspect.iscoroutine(result):
                result = _step_through(result)
        except TraceEnd as end:
            open_end, origin = end.reason, end.origin
        except Exception as error:
            if strict:
                raise
            open_end = f"raises {type(error).__name__} on placeholders: {error}"
    return Trace(program, recorder.frozen(), open_end, origin, result)


def _step_through(coroutine: Any) -> Any:
    """Run a coroutine that never has to wait, as all looks at placeholders are immediate."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise TraceEnd("awaits something outside the program", None)
