"""What a run of a program will do, for people: requests, what stands in each, and where Python decides."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from slipform.grammars.spec import Choice, GrammarSpec, JsonSchema, Regex
from slipform.lang import ir
from slipform.lang.calls import constraints_of
from slipform.lang.choices import MASKED_DECODING
from slipform.lang.shape_text import label as spec_label
from slipform.lang.shape_text import shorten
from slipform.lang.tool_styles import IN_WORDS, CallStyle
from slipform.lang.tracer import Trace


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a plan and what stands below it. `kind` is one of prefix, request, text, fill, select, call, look,
    fork, branch, join, end."""

    kind: str
    label: str
    below: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a program; `print(plan)` shows them as a tree.

    Attributes:
        num_requests: requests of one run, as far as the trace shows; scoring a select counts as one.
        constraints: every constraint, in order of first use, without repeats.
    """

    program: str
    steps: tuple[Step, ...]
    num_requests: int
    constraints: tuple[GrammarSpec, ...] = field(default=())

    @property
    def fills(self) -> tuple[str, ...]:
        """Labels of all fills and selects, in order."""
        return tuple(step.label for step in _walk(self.steps) if step.kind in ("fill", "select"))

    def __str__(self) -> str:
        requests = "1 request" if self.num_requests == 1 else f"{self.num_requests} requests"
        return "\n".join([f"{self.program}: {requests}", *_tree(self.steps, "")])


def make_plan(trace: Trace, *, fuse: bool = True, style: CallStyle = IN_WORDS) -> Plan:
    """The plan of a trace for a backend that fuses or not, and whose model writes calls of tools in a `style`."""
    builder = _Builder(fuse)
    prefix = trace.constant_prefix()
    steps: list[Step] = []
    text = "".join(node.text for node in prefix if isinstance(node, ir.Constant | ir.ToolPrompt))
    if text:
        steps.append(Step("prefix", f"constant prefix of {len(text)} characters: {shorten(text)}"))
    steps += builder.steps(trace.nodes)
    if trace.open_end is not None:
        where = f" ({trace.origin})" if trace.origin else ""
        steps.append(Step("end", f"decided at run time: the program {trace.open_end}{where}"))
    constraints = dict.fromkeys(spec for node in trace.walk() for spec in _constraints_of(node, style))
    return Plan(trace.program, tuple(steps), builder.num_requests, tuple(constraints))


def constraint_of(node: ir.Expr) -> GrammarSpec | None:
    """The constraint that a hole is decoded under, or None."""
    if isinstance(node, ir.Gen):
        return node.constraint
    if isinstance(node, ir.Select) and node.method == MASKED_DECODING:
        return Choice.of(node.choices)
    return None


def _constraints_of(node: ir.Expr, style: CallStyle) -> list[GrammarSpec]:
    if isinstance(node, ir.Call):
        return constraints_of(node, style)
    spec = constraint_of(node)
    return [] if spec is None else [spec]


class _Builder:
    """Cuts nodes into requests as strand.py does."""

    def __init__(self, fuse: bool) -> None:
        self._fuse = fuse
        self.num_requests = 0

    def steps(self, nodes: Sequence[ir.Expr]) -> list[Step]:
        out: list[Step] = []
        segments: list[Step] = []

        def flush() -> None:
            fills = [index for index, step in enumerate(segments) if step.kind == "fill"]
            if not fills:
                return
            count = fills[-1] + 1
            self.num_requests += 1
            out.append(Step("request", f"request {self.num_requests}", _merged(segments[:count])))
            del segments[:count]

        for node in _opened(nodes):
            if isinstance(node, ir.Gen) or constraint_of(node) is not None:
                alone = isinstance(node, ir.Gen) and (
                    (node.options.n or 1) > 1 or node.options.prompt_logprobs_from is not None
                )
                if alone:
                    flush()
                segments.append(Step("fill", describe_hole(node)))
                if alone or not self._fuse:
                    flush()
            elif isinstance(node, ir.Select):
                flush()
                self.num_requests += 1
                out.append(
                    Step(
                        "request",
                        f"request {self.num_requests}",
                        (*_merged(segments), Step("select", describe_hole(node))),
                    )
                )
                segments.clear()
            elif isinstance(node, ir.Call):
                flush()
                names = ", ".join(tool.name for tool in node.tools)
                label = f"{node.name}: the model calls {names} up to {node.max_calls} times, one request a turn"
                out.append(Step("call", label, _merged(segments)))
                segments.clear()
            elif isinstance(node, ir.Look):
                flush()
                where = f" ({node.origin})" if node.origin else ""
                out.append(Step("look", f"Python looks at {node.expression}{where}"))
            elif isinstance(node, ir.Fork):
                flush()
                branches = tuple(
                    Step("branch", f"branch {index}", tuple(self.steps(branch)))
                    for index, branch in enumerate(node.branches)
                )
                out.append(Step("fork", f"fork into {len(branches)}, sharing the KV so far", branches))
            elif isinstance(node, ir.Join):
                flush()
                out.append(Step("join", f"join: {node.mode}"))
            elif not isinstance(node, (ir.ScopeBegin, ir.ScopeEnd)):
                segments.append(Step("text", _text_label(node)))
        flush()
        if segments:
            out.append(Step("text", "text at the end", _merged(segments)))
        return out


def describe_hole(node: ir.Expr) -> str:
    """`ticket: JSON of Ticket, temperature=0`."""
    if isinstance(node, ir.Select):
        return f"{node.name or 'unnamed'}: one of {shorten(', '.join(map(repr, node.choices)))} by {node.method}"
    assert isinstance(node, ir.Gen)
    parts = [describe_constraint(node.constraint, node.value_type.label if node.value_type else None)]
    for name in ("max_tokens", "n", "temperature", "stop", "seed"):
        value = getattr(node.options, name)
        if value is not None:
            parts.append(f"{name}={value!r}")
    return f"{node.name or 'unnamed'}: {', '.join(parts)}"


def describe_constraint(spec: GrammarSpec | None, label: str | None = None) -> str:
    match spec:
        case None:
            return "free text"
        case Regex():
            return f"{label + ' as ' if label else ''}regex {shorten(spec.pattern)}"
        case JsonSchema():
            return f"JSON of {label}" if label and label != "JSON" else f"JSON of {shorten(spec.schema)}"
        case Choice():
            return f"one of {shorten(', '.join(map(repr, spec.options)))}"
        case _:
            return spec_label(spec)


def _text_label(node: ir.Expr) -> str:
    if isinstance(node, ir.Constant):
        return f"text {shorten(node.text)!r}"
    if isinstance(node, (ir.RoleBegin, ir.RoleEnd)):
        return f"⟨{node.role}⟩" if isinstance(node, ir.RoleBegin) else f"⟨/{node.role}⟩"
    return node.describe()


def _merged(segments: Sequence[Step]) -> tuple[Step, ...]:
    """Neighbouring texts on one line."""
    out: list[Step] = []
    for step in segments:
        if step.kind == "text" and out and out[-1].kind == "text":
            out[-1] = Step("text", f"{out[-1].label} {step.label}")
        else:
            out.append(step)
    return tuple(out)


def _opened(nodes: Sequence[ir.Expr]) -> Iterator[ir.Expr]:
    for node in nodes:
        if isinstance(node, ir.Reasoning):
            yield from ir.flatten(node.expr)
        else:
            yield node


def _walk(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _walk(step.below)


def _tree(steps: Sequence[Step], indent: str) -> Iterator[str]:
    for index, step in enumerate(steps):
        last = index == len(steps) - 1
        label = f"{step.kind} {step.label}" if step.kind in ("fill", "select") else step.label
        yield f"{indent}{'└─ ' if last else '├─ '}{label}"
        yield from _tree(step.below, indent + ("   " if last else "│  "))
