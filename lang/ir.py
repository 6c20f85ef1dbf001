"""The nodes a program is made of: frozen values, no execution.

Constant        text as it stands
Argument        a value known when the program is called (only in traces)
Variable        a value known when a fill is done (only in traces)
Gen, Select     holes
Call            a loop of tool calls
Image, Video    media
RoleBegin/End   one chat message
ScopeBegin/End  names the text between them
Reasoning       its fill is split into thoughts and answer
Concat          parts in order; what `+` builds
Fork, Join      branches (only in traces); Look marks where Python reads a generated value
"""

import reprlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from slipform.errors import ProgramError, TraceError
from slipform.grammars.spec import GrammarSpec
from slipform.lang.options import SamplingOptions
from slipform.lang.origin import Origin as Origin
from slipform.lang.origin import at as at
from slipform.lang.origin import caller_origin as caller_origin
from slipform.lang.origin import function_origin as function_origin
from slipform.lang.shape import Shape
from slipform.lang.tools import Tool, tools_in_words
from slipform.lang.types import ValueType


class PlaceholderError(TraceError, TypeError):
    """A hole or placeholder was used where Python needs its text, for example inside an f-string."""


class Expr:
    """Base of all nodes: they concatenate with `+` and refuse to become text."""

    __slots__ = ()

    def children(self) -> tuple["Expr", ...]:
        return ()

    def node(self) -> "Expr":
        """The frozen node itself; a placeholder of a trace gives the node that it stands for."""
        return self

    def describe(self) -> str:
        """How errors and plans call this node."""
        return type(self).__name__.lower()

    def __add__(self, other: object) -> "Expr":
        return concat(self, other)

    def __radd__(self, other: object) -> "Expr":
        return concat(other, self)

    def __format__(self, spec: str) -> NoReturn:
        raise PlaceholderError(
            "has no text yet, so it cannot stand in an f-string; join the pieces with +, as in "
            '"Q: " + question + "\\n"',
            primitive=self.describe(),
        )


@dataclass(frozen=True, slots=True)
class Constant(Expr):
    text: str

    def describe(self) -> str:
        return repr(self.text)


@dataclass(frozen=True, slots=True)
class Argument(Expr):
    """`expression` reads from the arguments, for example `question` or `row['text'].strip()`."""

    expression: str

    def describe(self) -> str:
        return f"argument {self.expression}"


@dataclass(frozen=True, slots=True)
class Variable(Expr):
    """`expression` reads from generated values, for example `s['tool']`."""

    expression: str

    def describe(self) -> str:
        return self.expression


@dataclass(frozen=True, slots=True)
class Gen(Expr):
    """A hole that the model fills.

    Attributes:
        options: what the program says about sampling; the run's options fill the rest.
        constraint: what the text must match. value_type: how the text becomes the variable's value.
        shape: where the constraint came as one, with captures or parts that are sampled in ways of their own.
    """

    name: str | None = None
    options: SamplingOptions = field(default_factory=SamplingOptions)
    constraint: GrammarSpec | None = None
    value_type: ValueType | None = None
    origin: Origin | None = field(default=None, compare=False)
    shape: Shape | None = None

    def describe(self) -> str:
        return f"gen({self.name!r})" if self.name is not None else "gen()"


@dataclass(frozen=True, slots=True)
class Select(Expr):
    """A hole that takes the best of `choices`; `method` names a rule of choices.py."""

    name: str | None
    choices: tuple[str, ...]
    method: str
    options: SamplingOptions = field(default_factory=SamplingOptions)
    origin: Origin | None = field(default=None, compare=False)

    def describe(self) -> str:
        return f"select({self.name!r})"


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """A loop in which the model calls tools and is told the results, until it answers; see calls.py.

    Attributes:
        name: of the variable that holds the answer; `NAME_calls` holds the calls.
        text: whether text may stand before a call. required: whether the first turn must call.
        final: whether the model answers after its last call. format_error: what the model is told of an exception.
    """

    name: str
    tools: tuple[Tool, ...]
    max_calls: int
    parallel: bool
    text: bool
    required: bool
    final: bool
    options: SamplingOptions = field(default_factory=SamplingOptions)
    format_error: Callable[[Exception], str] | None = None
    origin: Origin | None = field(default=None, compare=False)

    def describe(self) -> str:
        return f"call({self.name!r})"


@dataclass(frozen=True, slots=True)
class ToolPrompt(Expr):
    """Tells the model of tools: as its chat template does, or in words where this stands."""

    tools: tuple[Tool, ...]

    @property
    def text(self) -> str:
        """The words."""
        return tools_in_words(self.tools)

    def describe(self) -> str:
        return f"tools {', '.join(tool.name for tool in self.tools)}"


@dataclass(frozen=True, slots=True)
class ToolResults(Expr):
    """Tells the model what the calls of the message before this returned."""

    results: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Image(Expr):
    source: str | bytes


@dataclass(frozen=True, slots=True)
class Video(Expr):
    source: str | bytes
    num_frames: int


@dataclass(frozen=True, slots=True)
class RoleBegin(Expr):
    role: str
    origin: Origin | None = field(default=None, compare=False)

    def describe(self) -> str:
        return f"{self.role}_begin()"


@dataclass(frozen=True, slots=True)
class RoleEnd(Expr):
    role: str
    origin: Origin | None = field(default=None, compare=False)

    def describe(self) -> str:
        return f"{self.role}_end()"


@dataclass(frozen=True, slots=True)
class ScopeBegin(Expr):
    name: str


@dataclass(frozen=True, slots=True)
class ScopeEnd(Expr):
    name: str


@dataclass(frozen=True, slots=True)
class Reasoning(Expr):
    """The fills of `expr` are split into `NAME_reasoning_content` and `NAME` after the thought markers of
    `model_type`."""

    expr: Expr
    model_type: str

    def children(self) -> tuple[Expr, ...]:
        return (self.expr,)

    def describe(self) -> str:
        return "separate_reasoning()"


@dataclass(frozen=True, slots=True)
class Concat(Expr):
    parts: tuple[Expr, ...]

    def children(self) -> tuple[Expr, ...]:
        return self.parts


@dataclass(frozen=True, slots=True)
class Fork(Expr):
    """The branches as they were traced, each with its own nodes."""

    branches: tuple[tuple[Expr, ...], ...]

    def describe(self) -> str:
        return f"fork({len(self.branches)})"


@dataclass(frozen=True, slots=True)
class Join(Expr):
    mode: str

    def describe(self) -> str:
        return f"join({self.mode!r})"


@dataclass(frozen=True, slots=True)
class Look(Expr):
    """Python reads a generated value here, so what was appended before must be executed first."""

    expression: str
    origin: Origin | None = field(default=None, compare=False)


def as_expr(value: object) -> Expr:
    """The node of a value that a program appends: text or a node.

    Raises: ProgramError naming the value for anything else.
    """
    if isinstance(value, Expr):
        return value.node()
    if isinstance(value, str):
        return Constant(value)
    if value is None:
        raise ProgramError(
            f"None was appended; a branch of the program gives no text{at(caller_origin())}", primitive="s +="
        )
    is_list = isinstance(value, (list, tuple))
    advice = "append its parts one by one" if is_list else "write str(...) around it"
    raise ProgramError(
        f"{reprlib.repr(value)} of type {type(value).__name__} was appended; only text and holes can be, so {advice}"
        f"{at(caller_origin())}",
        primitive="s +=",
    )


def concat(*values: object) -> Expr:
    parts: list[Expr] = []
    for value in values:
        node = as_expr(value)
        parts.extend(node.parts if isinstance(node, Concat) else (node,))
    return Concat(tuple(parts))


def flatten(value: object) -> Iterator[Expr]:
    """The nodes of a value in order, without Concat."""
    node = as_expr(value)
    if isinstance(node, Concat):
        for part in node.parts:
            yield from flatten(part)
    else:
        yield node


def walk(nodes: tuple[Expr, ...]) -> Iterator[Expr]:
    """Every node below `nodes`, branches of forks included."""
    for node in nodes:
        yield node
        yield from walk(node.children())
        if isinstance(node, Fork):
            for branch in node.branches:
                yield from walk(branch)


def names_of(node: Expr) -> tuple[str, ...]:
    """The variables that a hole fills: its own, and those of its captures."""
    if isinstance(node, Call):
        return node.name, f"{node.name}_calls"
    if not isinstance(node, (Gen, Select)):
        return ()
    captures = tuple(node.shape.captures) if isinstance(node, Gen) and node.shape is not None else ()
    return (*((node.name,) if node.name is not None else ()), *captures)


def origin_of(node: Any) -> Origin | None:
    found = getattr(node, "origin", None)
    return found if isinstance(found, Origin) else None
