"""Executes the nodes of one program state: one dispatch over nodes, which appends to a strand and remembers the text.

Nothing is sent until somebody looks. Looking at a variable starts the strand that holds its hole, and the strands of
the branches beside it, so that the branches of a fork run together.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from slipform.errors import (
    BackendError,
    FillError,
    InvalidRequest,
    ProgramError,
    RoleError,
    SlipformError,
    VariableError,
)
from slipform.grammars.spec import Choice, JsonSchema
from slipform.lang.cells import (
    Cell,
    FillCell,
    HoleCell,
    ListCell,
    Piece,
    SelectCell,
    SpanCell,
    TextPiece,
    ThoughtCell,
    ValueCell,
    leaves_of,
    text_of,
)
from slipform.lang.chat_template import ChatTemplate, plain_roles
from slipform.lang.choices import MASKED_DECODING
from slipform.lang.ir import (
    Constant,
    Expr,
    Gen,
    Image,
    Origin,
    Reasoning,
    RoleBegin,
    RoleEnd,
    ScopeBegin,
    ScopeEnd,
    Select,
    Video,
    flatten,
    origin_of,
)
from slipform.lang.options import DEFAULT_MAX_TOKENS, DEFAULT_MAX_TOKENS_JSON, SamplingOptions
from slipform.lang.strand import WARM_MIN_CHARS, FillItem, Item, SelectItem, Session, Strand, WarmItem, settle
from slipform.runtime.request import Fill, FillResult, Text


@dataclass(slots=True)
class Message:
    """A chat message and the pieces of its content."""

    role: str
    pieces: list[Piece] = field(default_factory=list)


@dataclass(slots=True)
class OpenRole:
    """The message being written. `begun`: the template's opening is in the text. `held`: the template writes this
    message only together with the next one."""

    message: Message
    begun: bool = False
    held: bool = False


class Interpreter:
    """The machine behind one `ProgramState` while its program runs.

    Args:
        session: what the whole run shares. options: the run's sampling options.
    """

    def __init__(self, session: Session, options: SamplingOptions) -> None:
        self.session = session
        self.options = options
        self.strand = Strand(session)
        self.pieces: list[Piece] = []
        self.variables: dict[str, Cell] = {}
        self.messages: list[Message] = []
        self.children: list[Interpreter] = []
        self.siblings: Sequence[Interpreter] = ()
        self.fork_piece = 0  # index of the first piece that a branch wrote itself
        self.fork_variables: frozenset[str] = frozenset()
        self.failure: BaseException | None = None
        self._role: OpenRole | None = None
        self._held: list[int] = []  # messages that the template has not written yet
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
        for index, node in enumerate(nodes):
            handler = self._dispatch.get(type(node))
            if handler is None:
                raise ProgramError("this node cannot run", program=self.session.program, primitive=node.describe())
            handler(self._trimmed(nodes, index))
        self.session.notify()

    def _trimmed(self, nodes: Sequence[Expr], index: int) -> Expr:
        """Text at the ends of a whole message, stripped where the chat template strips content."""
        node = nodes[index]
        if not isinstance(node, Constant) or self._role is None or not self._template.strips(self._role.message.role):
            return node
        text = node.text
        if not self._role.begun and not self._role.held:
            text = text.lstrip()
        if index + 1 < len(nodes) and isinstance(nodes[index + 1], RoleEnd):
            text = text.rstrip()
        return Constant(text)

    def _constant(self, node: Constant) -> None:
        if node.text:
            self._write(TextPiece(node.text))

    def _gen(self, node: Gen, reasoning: str | None = None) -> FillCell:
        options = node.options.over(self.options)
        default = DEFAULT_MAX_TOKENS_JSON if isinstance(node.constraint, JsonSchema) else DEFAULT_MAX_TOKENS
        with self._naming(node):
            sampling = options.params(max_tokens=default, more_stop=node.value_type.stop if node.value_type else ())
        self._open(generate=True)
        stop_ids, stop_texts = self._role_stops()
        if stop_ids or stop_texts:
            sampling = sampling.replace(
                stop_token_ids=tuple(dict.fromkeys((*sampling.stop_token_ids, *stop_ids))),
                stop=tuple(dict.fromkeys((*sampling.stop, *stop_texts))),
            )
        cell = FillCell(node, self.session.program, self.strand, reasoning)
        cell.num_sequences = options.n or 1
        fill = Fill(node.name, sampling, node.constraint, heal=self._seam_heals() and reasoning is None)
        self._add(
            FillItem(
                cell,
                fill,
                cell.num_sequences,
                options.prompt_logprobs_from,
                bool(options.return_text_in_logprobs),
            )
        )
        self._piece(cell)
        if node.name is not None:
            self.variables[node.name] = cell
        return cell

    def _select(self, node: Select) -> None:
        if node.method == MASKED_DECODING:
            options = SamplingOptions(temperature=0.0).over(node.options)
            self._gen(Gen(node.name, options, Choice.of(node.choices), None, node.origin))
            return
        self._open(generate=True)
        cell = SelectCell(node, self.session.program, self.strand)
        self._add(SelectItem(cell, node.choices, node.method))
        self._piece(cell)
        if node.name is not None:
            self.variables[node.name] = cell

    def _reasoning(self, node: Reasoning) -> None:
        for part in flatten(node.expr):
            if isinstance(part, Gen):
                cell = self._gen(part, node.model_type)
                if part.name is not None:
                    self.variables[f"{part.name}_reasoning_content"] = ThoughtCell(cell)
            else:
                self.append(part)

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

    # Roles

    @property
    def _template(self) -> ChatTemplate:
        return self.session.backend.chat_template or plain_roles()

    def _role_begin(self, node: RoleBegin) -> None:
        if self._role is not None:
            raise self._role_error(f"a {self._role.message.role} message is still open; roles do not nest", node)
        self._role = OpenRole(Message(node.role))

    def _role_end(self, node: RoleEnd) -> None:
        if self._role is None or self._role.message.role != node.role:
            opened = self._role.message.role if self._role else "no"
            raise self._role_error(f"{opened} message is open here", node)
        self._open(generate=False)
        self.messages.append(self._role.message)
        held, self._role = self._role.held, None
        if held:
            self._held.append(len(self.messages) - 1)
            return
        with self._naming(node):
            closing = self._template.closing(self._roles())
        self._template_text(closing)

    def _open(self, *, generate: bool) -> None:
        """Write the template's opening of the current message, once its first content shows of what kind it is."""
        role = self._role
        if role is None or role.begun:
            return
        if role.held:
            if generate:
                raise self._role_error(
                    f"this model's template writes the {role.message.role} text inside the next message, so no "
                    f"hole can "
                    "stand in it",
                    RoleBegin(role.message.role),
                )
            return
        with self._naming(RoleBegin(role.message.role)):
            opening = self._template.opening((*self._roles(), role.message.role), generate=generate)
        if opening is None:
            role.held = True
            self._open(generate=generate)
            return
        role.begun = True
        for piece in opening.pieces:
            if isinstance(piece, str):
                self._template_text(piece)
            else:
                for part in self.messages[piece].pieces:
                    self._piece(part, content=False)
                    if isinstance(part, TextPiece):
                        self._add(Text(part.text))
        self._held.clear()

    def _settle_role(self) -> None:
        """Write the opening of a message that is still empty: somebody looks at the text, or branches begin here."""
        if self._role is not None and not self._role.held:
            self._open(generate=self._role.message.role == "assistant")

    def _roles(self) -> tuple[str, ...]:
        return tuple(message.role for message in self.messages)

    def _role_stops(self) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """What the model writes at the end of a message: a fill inside the message stops there."""
        if self._role is None or not self._role.begun:
            return (), ()
        closing = self._template.closing((*self._roles(), self._role.message.role)).strip()
        if not closing:
            return (), ()
        first = self._template.segments(closing)[0]
        if first.parse_special:
            return self.session.backend.encode(first.text, parse_special=True)[:1], ()
        return (), (first.text.rstrip(),)

    def _template_text(self, text: str) -> None:
        for segment in self._template.segments(text):
            self._add(segment)
            self._piece(TextPiece(segment.text, template=True, special=segment.parse_special), content=False)

    def _role_error(self, message: str, node: Expr) -> RoleError:
        where = origin_of(node)
        return RoleError(
            message + (f" ({where})" if where else ""), program=self.session.program, primitive=node.describe()
        )

    # Text

    def _write(self, piece: TextPiece) -> None:
        self._open(generate=False)
        if self._role is None or not self._role.held:
            self._add(Text(piece.text))
            self._piece(piece)
        else:
            self._role.message.pieces.append(piece)

    def _piece(self, piece: Piece, *, content: bool = True) -> None:
        self.pieces.append(piece)
        if content and self._role is not None:
            self._role.message.pieces.append(piece)

    def _add(self, item: Item) -> None:
        self.strand.append(item)

    def _seam_heals(self) -> bool:
        """Program text before a fill is healed; the template's text is what the model was trained to go on from."""
        last = self.pieces[-1] if self.pieces else None
        return isinstance(last, TextPiece) and not last.template

    # Looking

    def start(self) -> "list[Future[Any]]":
        """Start this state's work and that of the branches beside it; the future of this state's own comes first."""
        futures = [self.strand.start()]
        futures.extend(sibling.strand.start() for sibling in self.siblings if sibling is not self)
        return futures

    def warm(self) -> "Future[Any]":
        """Compute everything appended so far, if that is worth a request; done when it is in the cache."""
        if self.strand.num_known_chars >= WARM_MIN_CHARS:
            self._add(WarmItem())
        return self.strand.start()

    def everything(self) -> "Iterator[Interpreter]":
        """This state and all branches below it."""
        yield self
        for child in self.children:
            yield from child.everything()

    def finish(self) -> "Future[Any]":
        """Start what is left, in this state and in its branches; done when all of it is."""
        self._settle_role()
        return settle([state.strand for state in self.everything()])

    # What ProgramState asks

    def names(self) -> list[str]:
        return list(self.variables)

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
        return metas if isinstance(self.cell(name), ListCell) else metas[0]

    def fill_results(self, name: str) -> tuple[FillResult, ...]:
        """What the backend returned for the fills behind a variable; empty for a select or a value set by hand."""
        return tuple(
            result for leaf in self.cell(name).leaves() if isinstance(leaf, FillCell) for result in leaf.results
        )

    def message_list(self) -> list[dict[str, str]]:
        messages = [*self.messages, *([self._role.message] if self._role else [])]
        return [{"role": message.role, "content": text_of(message.pieces)} for message in messages]

    def cell(self, name: str) -> Cell:
        """The variable `name`. Raises: VariableError when there is none; the state's own failure when it has failed."""
        cell = self.variables.get(name)
        if cell is not None:
            return cell
        self.check_failure()
        known = ", ".join(repr(key) for key in self.variables) or "none"
        raise VariableError(f"no such variable; known: {known}", program=self.session.program, primitive=f"s[{name!r}]")

    def waits(self, cells: Sequence[Cell]) -> "list[Future[Any]]":
        """Futures of the holes that `cells` are made of and that are not filled yet; their strands are started."""
        leaves = [leaf for cell in cells for leaf in cell.leaves() if not leaf.future.done()]
        return self._start_holes(leaves)

    def text_waits(self) -> "list[Future[Any]]":
        self._settle_role()
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
        self._settle_role()
        if size > 1 and self.strand.num_known_chars >= WARM_MIN_CHARS:
            self._add(WarmItem())
        before = self.strand
        branches = [self._branch(before.branch()) for _ in range(size)]
        self.strand = before.branch()
        for branch in branches:
            branch.siblings = branches
        self.children.extend(branches)
        return branches

    def _branch(self, strand: Strand) -> "Interpreter":
        branch = Interpreter(self.session, self.options)
        branch.strand = strand
        branch.pieces = list(self.pieces)
        branch.variables = dict(self.variables)
        branch.messages = list(self.messages)
        branch.fork_piece = len(self.pieces)
        branch.fork_variables = frozenset(self.variables)
        branch._held = list(self._held)
        branch._scopes = list(self._scopes)
        if self._role is not None:
            message = Message(self._role.message.role, list(self._role.message.pieces))
            branch._role = OpenRole(message, self._role.begun, self._role.held)
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
                    self._add(Text(piece.text, parse_special=piece.special))
                    self._piece(piece)
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
        where: Origin | None = origin_of(self.node)
        line = f" ({where})" if where else ""
        if isinstance(error, RoleError) and error.program is None:
            message = str(error).removeprefix(f"{error.primitive}: ")
            raise RoleError(f"{message}{line}", program=self.program, primitive=self.node.describe()) from error
        if isinstance(error, InvalidRequest):
            raise FillError(f"{error}{line}", program=self.program, primitive=self.node.describe()) from error
