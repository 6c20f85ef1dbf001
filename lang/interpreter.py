"""Executes the nodes of one program state: one dispatch over nodes, which appends to a strand and remembers the text.

Nothing is sent until somebody looks. Looking at a variable starts the strand that holds its hole, and the strands of
the branches beside it, so that the branches of a fork run together.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from slipform.errors import (
    ArgumentError,
    BackendError,
    InvalidRequest,
    ProgramError,
    RoleError,
    SlipformError,
    VariableError,
)
from slipform.grammars.spec import Choice, GrammarSpec, JsonSchema
from slipform.lang.cells import (
    CaptureCell,
    Cell,
    FillCell,
    HoleCell,
    ListCell,
    PartsCell,
    Piece,
    SelectCell,
    SpanCell,
    TextPiece,
    ThoughtCell,
    ValueCell,
    leaves_of,
    text_of,
)
from slipform.lang.choices import MASKED_DECODING
from slipform.lang.config import global_config
from slipform.lang.conversation import Conversation
from slipform.lang.ir import (
    Call,
    Constant,
    Expr,
    Gen,
    Image,
    Reasoning,
    RoleBegin,
    RoleEnd,
    ScopeBegin,
    ScopeEnd,
    Select,
    ToolPrompt,
    ToolResults,
    Video,
    at,
    caller_origin,
    flatten,
    origin_of,
)
from slipform.lang.options import DEFAULT_MAX_TOKENS, DEFAULT_MAX_TOKENS_JSON, SamplingOptions
from slipform.lang.run_trace import RunTrace
from slipform.lang.session import Session
from slipform.lang.strand import WARM_MIN_CHARS, FillItem, Item, SelectItem, Strand, WarmItem, settle
from slipform.lang.tool_styles import CallStyle
from slipform.lang.tools import results_in_words
from slipform.lang.trace_build import build_trace
from slipform.runtime.request import Fill, FillResult, Finish, Text


class Interpreter:
    """The machine behind one `ProgramState` while its program runs.

    Args:
        session: what the whole run shares. options: the run's sampling options.
    """

    def __init__(self, session: Session, options: SamplingOptions) -> None:
        self.session = session
        self.options = options
        self.strand = Strand(session)
        self.strands = [self.strand]  # all that it has used, the current one last
        self.path: tuple[int, ...] = ()  # which branch of which branch it is; () is the program itself
        self.pieces: list[Piece] = []
        self.variables: dict[str, Cell] = {}
        self.conversation = Conversation(session.backend, session.program, self._emit)
        self.children: list[Interpreter] = []
        self.siblings: Sequence[Interpreter] = ()
        self.fork_piece = 0  # index of the first piece that a branch wrote itself
        self.fork_variables: frozenset[str] = frozenset()
        self.failure: BaseException | None = None
        self.runs_calls = True
        self._num_fills = 0
        self._scopes: list[tuple[str, int]] = []
        self._dispatch: Mapping[type[Expr], Callable[[Any], object]] = {
            Constant: self._constant,
            Gen: self._gen,
            Select: self._select,
            RoleBegin: self._role_begin,
            RoleEnd: self._role_end,
            ScopeBegin: self._scope_begin,
            ScopeEnd: self._scope_end,
            Reasoning: self._reasoning,
            Call: self._call,
            ToolPrompt: self._tool_prompt,
            ToolResults: self._tool_results,
            Image: self._media,
            Video: self._media,
        }

    # Appending

    def append(self, value: object) -> None:
        """Execute what a program appends. Raises: ProgramError naming the program and the primitive."""
        try:
            nodes = list(flatten(value))
        except ProgramError as error:
            raise self._named(error) from None
        # The template may write tools at the beginning of the message in which the program tells of them.
        told = [node for node in nodes if isinstance(node, ToolPrompt) and self.conversation.tell_of_tools(node.tools)]
        nodes = [node for node in nodes if node not in told]
        for index, node in enumerate(nodes):
            handler = self._dispatch.get(type(node))
            if handler is None:
                raise ProgramError("this node cannot run", program=self.session.program, primitive=node.describe())
            if isinstance(node, Constant):
                ends = index + 1 < len(nodes) and isinstance(nodes[index + 1], RoleEnd)
                node = Constant(self.conversation.trimmed(node.text, ends_message=ends))
            handler(node)
        self.session.notify()

    def _gen(self, node: Gen) -> None:
        shape = node.shape
        pieces = shape.pieces() if shape is not None else ()
        whole: FillCell | PartsCell
        if len(pieces) > 1:
            holes = [replace(node, options=p.options.over(node.options), constraint=p.spec) for p in pieces]
            whole = PartsCell([self._fill(replace(hole, value_type=None)) for hole in holes], node.value_type)
        else:
            whole = self._fill(replace(node, options=pieces[0].options.over(node.options)) if pieces else node)
        if node.name is not None:
            self.variables[node.name] = whole
        if shape is not None:
            self.variables |= {name: CaptureCell(whole, shape, name) for name in shape.captures}

    def _fill(self, node: Gen, reasoning: str | None = None) -> FillCell:
        options = node.options.over(self.options)
        default = DEFAULT_MAX_TOKENS_JSON if isinstance(node.constraint, JsonSchema) else DEFAULT_MAX_TOKENS
        with self._naming(node):
            sampling = options.params(max_tokens=default, more_stop=node.value_type.stop if node.value_type else ())
        self.conversation.write_opening(generate=True)
        stop_ids, stop_texts = self.conversation.stops()
        if stop_ids or stop_texts:
            sampling = sampling.replace(
                stop_token_ids=tuple(dict.fromkeys((*sampling.stop_token_ids, *stop_ids))),
                stop=tuple(dict.fromkeys((*sampling.stop, *stop_texts))),
            )
        if not global_config.skip_special_tokens_in_output:
            sampling = sampling.replace(skip_special_tokens=False)
        if self.session.seeds is not None:
            sampling = sampling.replace(seed=self.session.seeds.get((self.path, self._num_fills), sampling.seed))
        self._num_fills += 1
        cell = FillCell(node, self.session.program, self.strand, reasoning)
        cell.num_sequences = options.n or 1
        heal = self._seam_heals() and reasoning is None
        fill = Fill(node.name, sampling, node.constraint, heal, finish=_finish(node.constraint, options))
        cell.fill = fill
        with_text = bool(options.return_text_in_logprobs)
        self._hole(cell, FillItem(cell, fill, cell.num_sequences, options.prompt_logprobs_from, with_text))
        return cell

    def _select(self, node: Select) -> None:
        if node.method == MASKED_DECODING:
            options = SamplingOptions(temperature=0.0).over(node.options)
            self._gen(Gen(node.name, options, Choice.of(node.choices), None, node.origin))
            return
        self.conversation.write_opening(generate=True)
        cell = SelectCell(node, self.session.program, self.strand)
        self._hole(cell, SelectItem(cell, node.choices, node.method))

    def _reasoning(self, node: Reasoning) -> None:
        for part in flatten(node.expr):
            if isinstance(part, Gen):
                if part.shape is not None and (part.shape.captures or len(part.shape.pieces()) > 1):
                    raise ArgumentError(
                        f"captures and parts cannot stand inside separate_reasoning{at(part.origin)}",
                        program=self.session.program,
                        primitive=part.describe(),
                    )
                cell = self._fill(part, node.model_type)
                if part.name is not None:
                    self.variables[f"{part.name}_reasoning_content"] = ThoughtCell(cell)
            else:
                self.append(part)

    def _call(self, node: Call) -> None:
        raise RoleError(
            f"writes messages of its own, so it stands alone: `s += sf.call(…)`{at(node.origin)}",
            program=self.session.program,
            primitive=node.describe(),
        )

    def _tool_prompt(self, node: ToolPrompt) -> None:
        self._constant(Constant(node.text))

    def _tool_results(self, node: ToolResults) -> None:
        """Each result in a message of its own, or all of them in one of the user."""
        if not self.call_style().in_template:
            self._message("user", results_in_words(node.results))
            return
        self.conversation.note_calls(len(node.results))
        for result in node.results:
            self._message("tool", self.conversation.result_text(result))

    def _message(self, role: str, text: str) -> None:
        self._role_begin(RoleBegin(role))
        self._constant(Constant(self.conversation.trimmed(text, ends_message=True)))
        self._role_end(RoleEnd(role))

    def _media(self, node: Image | Video) -> None:
        raise BackendError(
            f"{self.session.backend.name} reads text only", program=self.session.program, primitive=node.describe()
        )

    def _scope_begin(self, node: ScopeBegin) -> None:
        self._scopes.append((node.name, len(self.pieces)))

    def _scope_end(self, node: ScopeEnd) -> None:
        if not self._scopes or self._scopes[-1][0] != node.name:
            raise VariableError(
                f"scope {node.name!r} is not the innermost open one",
                program=self.session.program,
                primitive="var_scope",
            )
        name, begin = self._scopes.pop()
        self.variables[name] = SpanCell(self.pieces[begin:])

    # Text and roles

    def check_roles(self) -> None:
        """Raises: RoleError if a message is still open."""
        self.conversation.check_closed()

    def _role_begin(self, node: RoleBegin) -> None:
        self.conversation.begin(node)

    def _role_end(self, node: RoleEnd) -> None:
        self.conversation.end(node)

    def _constant(self, node: Constant) -> None:
        if node.text:
            self._write(TextPiece(node.text))

    def _write(self, piece: TextPiece) -> None:
        self.conversation.write_opening(generate=False)
        if not self.conversation.holds:
            self._emit(piece)
        self.conversation.add(piece)

    def _emit(self, piece: TextPiece) -> None:
        """Append known text to what is executed and to what is shown."""
        self.strand.append(Text(piece.text, parse_special=piece.special))
        self.pieces.append(piece)

    def _hole(self, cell: HoleCell, item: Item) -> None:
        self.strand.append(item)
        self.pieces.append(cell)
        self.conversation.add(cell)
        if cell.node.name is not None:
            self.variables[cell.node.name] = cell

    def _seam_heals(self) -> bool:
        """Program text before a fill is healed; the template's text is what the model was trained to go on from."""
        last = self.pieces[-1] if self.pieces else None
        return isinstance(last, TextPiece) and not last.template

    def run_trace(self) -> RunTrace:
        """What the whole run has noted so far. Changes nothing, and waits for nothing."""
        return build_trace(self.session)

    # Looking

    def start(self) -> "list[Future[Any]]":
        """Start this state's work and that of the branches beside it; the future of this state's own comes first."""
        futures = [self.strand.start()]
        futures.extend(sibling.strand.start() for sibling in self.siblings if sibling is not self)
        return futures

    def warm(self) -> "Future[Any]":
        """Compute everything appended so far, if that is worth a request; done when it is in the cache."""
        if self.strand.num_known_chars >= WARM_MIN_CHARS:
            self.strand.append(WarmItem())
        return self.strand.start()

    def everything(self) -> "Iterator[Interpreter]":
        """This state and all branches below it."""
        yield self
        for child in self.children:
            yield from child.everything()

    def finish(self) -> "Future[Any]":
        """Start what is left, in this state and in its branches; done when all of it is."""
        self.conversation.settle()
        return settle([state.strand for state in self.everything()])

    # What ProgramState asks

    def names(self) -> list[str]:
        return list(self.variables)

    def call_style(self) -> CallStyle:
        return self.conversation.call_style

    def must_await(self) -> bool:
        return self.session.asynchronous

    def is_running(self) -> bool:
        """Whether the program's body may still append, seen from another thread than its own."""
        return self.session.running and self.session.body_thread != threading.get_ident()

    def abort(self) -> None:
        self.session.abort()

    def contains(self, name: str) -> bool:
        return name in self.variables

    def value_waits(self, name: str) -> "list[Future[Any]]":
        return self.waits([self.cell(name)])

    def value(self, name: str) -> Any:
        return self.cell(name).value()

    def variable_text(self, name: str) -> str:
        return self.cell(name).text()

    def meta_waits(self, name: str) -> "list[Future[Any]]":
        """Metadata is complete when the whole request is, so this waits for strands, not for holes."""
        leaves = list(self.cell(name).leaves())
        if not leaves:
            raise VariableError(
                "no hole was filled for it, so there is no metadata",
                program=self.session.program,
                primitive=f"s[{name!r}]",
            )
        return [strand.start() for strand in dict.fromkeys(leaf.strand for leaf in leaves)]

    def meta(self, name: str) -> Any:
        leaves = list(self.cell(name).leaves())
        metas = [leaf.meta for leaf in leaves]
        return metas if isinstance(self.cell(name), (ListCell, PartsCell)) else metas[0]

    def fill_results(self, name: str) -> tuple[FillResult, ...]:
        """What the backend returned for the fills behind a variable; empty for a select or a value set by hand."""
        return tuple(
            result for leaf in self.cell(name).leaves() if isinstance(leaf, FillCell) for result in leaf.results
        )

    def message_list(self) -> list[dict[str, str]]:
        return self.conversation.to_list()

    def cell(self, name: str) -> Cell:
        """The variable `name`. Raises: VariableError when there is none; the state's own failure when it has failed."""
        cell = self.variables.get(name)
        if cell is not None:
            return cell
        self.check_failure()
        known = ", ".join(repr(key) for key in self.variables) or "none, as no hole was appended with `s += …`"
        raise VariableError(
            f"no such variable; known: {known}{at(caller_origin())}",
            program=self.session.program,
            primitive=f"s[{name!r}]",
        )

    def waits(self, cells: Sequence[Cell]) -> "list[Future[Any]]":
        """Futures of the holes that `cells` are made of and that are not filled yet; their strands are started."""
        leaves = [leaf for cell in cells for leaf in cell.leaves() if not leaf.future.done()]
        return self._start_holes(leaves)

    def text_waits(self) -> "list[Future[Any]]":
        self.conversation.settle()
        return self._start_holes([leaf for leaf in leaves_of(self.pieces) if not leaf.future.done()])

    def _start_holes(self, leaves: Sequence[HoleCell]) -> "list[Future[Any]]":
        if leaves:
            self.check_failure()  # a failed run fills no more holes
            self.start()
        for strand in dict.fromkeys(leaf.strand for leaf in leaves):
            strand.start()
        return [leaf.future for leaf in leaves]

    def text(self) -> str:
        self.check_failure()
        return text_of(self.pieces)

    def own_pieces(self) -> list[Piece]:
        return self.pieces[self.fork_piece :]

    def check_failure(self) -> None:
        """Raise what ended this state, as an error of the program."""
        if self.failure is None:
            return
        if isinstance(self.failure, SlipformError):
            raise self.failure
        raise ProgramError(
            f"the program failed with {type(self.failure).__name__}: {self.failure}", program=self.session.program
        ) from self.failure

    # Branching

    def fork(self, size: int) -> "list[Interpreter]":
        """`size` states that go on from here, sharing the KV of everything before."""
        self.conversation.settle()
        if size > 1 and self.strand.num_known_chars >= WARM_MIN_CHARS:
            self.strand.append(WarmItem())
        before = self.strand
        first = len(self.children)
        branches = [self._branch(before.branch(), first + index) for index in range(size)]
        self.strand = before.branch()
        self.strands.append(self.strand)
        for branch in branches:
            branch.siblings = branches
        self.children.extend(branches)
        return branches

    def _branch(self, strand: Strand, index: int) -> "Interpreter":
        branch = Interpreter(self.session, self.options)
        branch.path = (*self.path, index)
        branch.strand = strand
        branch.strands = [strand]
        branch.pieces = list(self.pieces)
        branch.variables = dict(self.variables)
        branch.conversation = self.conversation.branch(branch._emit)
        branch.fork_piece = len(self.pieces)
        branch.fork_variables = frozenset(self.variables)
        branch._scopes = list(self._scopes)
        return branch

    def gather(self, branches: "Sequence[Interpreter]") -> None:
        """New variables of the branches become lists, one entry a branch that has it."""
        names = dict.fromkeys(
            name for branch in branches for name in branch.variables if name not in branch.fork_variables
        )
        for name in names:
            self.variables[name] = ListCell([b.variables[name] for b in branches if name in b.variables])

    def concatenate(self, branches: "Sequence[Interpreter]") -> None:
        """The text that the branches wrote follows here, in order; their holes must be filled."""
        for branch in branches:
            for piece in branch.own_pieces():
                if isinstance(piece, TextPiece):
                    self._emit(piece)
                    if not piece.template:
                        self.conversation.add(piece)
                elif text := piece.text():
                    self._write(TextPiece(text))

    # Errors

    def _naming(self, node: Expr) -> "_Naming":
        return _Naming(self.session.program, node)

    def _named(self, error: ProgramError) -> ProgramError:
        if error.program is not None:
            return error
        message = str(error).removeprefix(f"{error.primitive}: ")
        return type(error)(message, program=self.session.program, primitive=error.primitive)

    def set_value(self, name: str, value: Any) -> None:
        self.variables[name] = ValueCell(value)


class _Naming:
    """Errors inside the block name the program and the node."""

    def __init__(self, program: str, node: Expr) -> None:
        self.program = program
        self.node = node

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, InvalidRequest):
            message = f"{error}{at(origin_of(self.node))}"
            raise ArgumentError(message, program=self.program, primitive=self.node.describe()) from error


def _finish(constraint: GrammarSpec | None, options: SamplingOptions) -> Finish:
    """JSON ends with a match unless the program says otherwise; free text has nothing to match."""
    if constraint is None:
        return "cut"
    return options.finish or ("valid" if isinstance(constraint, JsonSchema) else "cut")
