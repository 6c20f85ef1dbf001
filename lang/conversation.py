"""The chat messages of one state: opened and closed with the text of the model's template, one role at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from slipform.errors import RoleError
from slipform.lang.backend import Backend
from slipform.lang.cells import Piece, TextPiece, text_of
from slipform.lang.chat_template import CALLS, ChatTemplate, plain_roles
from slipform.lang.ir import Expr, Origin, RoleBegin, RoleEnd, origin_of
from slipform.lang.tool_styles import IN_WORDS, CallStyle, call_style
from slipform.lang.tools import Tool


@dataclass(slots=True)
class Message:
    """A chat message and the pieces of its content. `num_calls`: calls of tools that an assistant message holds."""

    role: str
    pieces: list[Piece] = field(default_factory=list)
    num_calls: int = 0

    @property
    def template_role(self) -> str:
        """The role as the template is asked about it."""
        return f"{CALLS}{self.num_calls}" if self.num_calls else self.role


@dataclass(slots=True)
class OpenMessage:
    """The message being written. `begun`: the template's opening is in the text. `held`: the template writes this
    message only together with the next one. `shared`: branches began inside it, which each end it for themselves."""

    message: Message
    origin: Origin | None = None
    begun: bool = False
    held: bool = False
    shared: bool = False


class Conversation:
    """Finished messages and the open one.

    Args:
        emit: takes text to append to the state, the template's and that of held messages.
    """

    def __init__(self, backend: Backend, program: str, emit: Callable[[TextPiece], None]) -> None:
        self._backend = backend
        self._program = program
        self._emit = emit
        self._messages: list[Message] = []
        self._open: OpenMessage | None = None
        self._held: list[int] = []  # messages that the template has not written yet
        self._with_tools: ChatTemplate | None = None
        self._told_in_words = False

    @property
    def holds(self) -> bool:
        """Whether content goes into a message that the template writes later, so that it is not text yet."""
        return self._open is not None and self._open.held

    def branch(self, emit: Callable[[TextPiece], None]) -> "Conversation":
        """A conversation that goes on from here."""
        other = Conversation(self._backend, self._program, emit)
        other._messages = list(self._messages)
        other._held = list(self._held)
        other._with_tools, other._told_in_words = self._with_tools, self._told_in_words
        if self._open is not None:
            self._open.shared = True
            message = Message(self._open.message.role, list(self._open.message.pieces))
            other._open = OpenMessage(message, self._open.origin, self._open.begun, self._open.held)
        return other

    def to_list(self) -> list[dict[str, str]]:
        """The messages as chat APIs write them; their holes must be filled."""
        messages = [*self._messages, *([self._open.message] if self._open else [])]
        return [{"role": message.role, "content": text_of(message.pieces)} for message in messages]

    def roles_of_pieces(self) -> dict[int, str]:
        """The role of each piece that stands in a message, by the piece's `id`."""
        messages = [*self._messages, *([self._open.message] if self._open else [])]
        return {id(piece): message.role for message in messages for piece in message.pieces}

    def add(self, piece: Piece) -> None:
        """Content was appended; it belongs to the open message if there is one."""
        if self._open is not None:
            self._open.message.pieces.append(piece)

    def begin(self, node: RoleBegin) -> None:
        if self._open is not None:
            raise self._error(f"a {self._open.message.role} message is still open; roles do not nest", node)
        self._open = OpenMessage(Message(node.role), node.origin)

    def end(self, node: RoleEnd) -> None:
        if self._open is None or self._open.message.role != node.role:
            opened = self._open.message.role if self._open else "no"
            raise self._error(f"{opened} message is open here", node)
        self.write_opening(generate=False)
        self._messages.append(self._open.message)
        held, self._open = self._open.held, None
        if held:
            self._held.append(len(self._messages) - 1)
            return
        self._emit_template(self._template.closing(self._roles()))

    def check_closed(self) -> None:
        """Raises: RoleError naming the line that opened the message which is still open, unless branches took it on."""
        if self._open is not None and not self._open.shared:
            role = self._open.message.role
            raise self._error(
                f"the message is never closed; write {role}_end() behind it", RoleBegin(role, self._open.origin)
            )

    def write_opening(self, *, generate: bool) -> None:
        """Write the template's opening of the open message, once its first content shows of what kind it is.

        Args:
            generate: the content begins with a hole.
        Raises: RoleError when the template refuses the message, or a hole in it.
        """
        if self._open is None or self._open.begun:
            return
        role = self._open.message.role
        if not self._open.held:
            try:
                opening = self._template.opening((*self._roles(), role), generate=generate)
            except RoleError as error:
                raise self._error(str(error).removeprefix(f"{role}: "), RoleBegin(role, self._open.origin)) from error
            if opening is not None:
                self._open.begun = True
                for piece in opening.pieces:
                    if isinstance(piece, str):
                        self._emit_template(piece)
                    else:
                        self._emit_message(self._messages[piece])
                self._held.clear()
                return
            self._open.held = True
        if generate:
            raise self._error(
                f"this model's template writes the {role} text inside the next message, so no hole can stand in it",
                RoleBegin(role, self._open.origin),
            )

    # Tools

    def tell_of_tools(self, tools: Sequence[Tool]) -> bool:
        """The model has tools from here on: the template writes them where it always does, if it has a place for them
        that is not behind us. Returns whether it does; otherwise the program must say it in words."""
        if call_style(self._backend.chat_template).in_template:
            told = self._base.with_tools([tool.describe() for tool in tools])
            if self._goes_on_as_before(told):
                self._with_tools = told
                return True
        self._told_in_words = True
        return False

    def _goes_on_as_before(self, other: ChatTemplate) -> bool:
        """Whether the text so far is what `other` would have written too."""
        begun = self._open is not None and self._open.begun
        roles = (*self._roles(), *((self._open.message.template_role,) if self._open is not None and begun else ()))
        try:
            for count in range(1, len(roles) + 1):
                generate = roles[count - 1] == "assistant"
                ours = self._template.opening(roles[:count], generate=generate)
                if other.opening(roles[:count], generate=generate) != ours:
                    return False
                closed = count <= len(self._messages)
                if closed and other.closing(roles[:count]) != self._template.closing(roles[:count]):
                    return False
        except RoleError:
            return False
        return True

    @property
    def call_style(self) -> CallStyle:
        """How the model writes calls here, and is told of their results."""
        return IN_WORDS if self._told_in_words else call_style(self._backend.chat_template)

    def note_calls(self, count: int) -> None:
        """The message that was ended last holds calls; their results follow as messages of role `tool`."""
        self._messages[-1].num_calls = count

    def result_text(self, text: str) -> str:
        """The result of a call as the template writes it."""
        return self._template.result_text(text)

    def settle(self) -> None:
        """Write the opening of a message that is still empty: somebody looks at the text, or branches begin here."""
        if self._open is not None and not self._open.held:
            self.write_opening(generate=self._open.message.role == "assistant")

    def stops(self) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """What the model writes at the end of the open message, as token ids and as texts: a fill in it stops there."""
        if self._open is None or not self._open.begun:
            return (), ()
        closing = self._template.closing((*self._roles(), self._open.message.role)).strip()
        if not closing:
            return (), ()
        first = self._template.segments(closing)[0]
        if first.parse_special:
            return self._backend.encode(first.text, parse_special=True)[:1], ()
        return (), (first.text.rstrip(),)

    def trimmed(self, text: str, *, ends_message: bool) -> str:
        """Content as the template writes it, where that strips the ends of a message."""
        if self._open is None or not self._template.strips(self._open.message.role):
            return text
        if not self._open.message.pieces:
            text = text.lstrip()
        return text.rstrip() if ends_message else text

    @property
    def _template(self) -> ChatTemplate:
        return self._with_tools or self._base

    @property
    def _base(self) -> ChatTemplate:
        return self._backend.chat_template or plain_roles()

    def _roles(self) -> tuple[str, ...]:
        return tuple(message.template_role for message in self._messages)

    def _emit_template(self, text: str) -> None:
        for segment in self._template.segments(text):
            self._emit(TextPiece(segment.text, template=True, special=segment.parse_special))

    def _emit_message(self, message: Message) -> None:
        for piece in message.pieces:
            if isinstance(piece, TextPiece):
                self._emit(piece)

    def _error(self, message: str, node: Expr) -> RoleError:
        where = origin_of(node)
        return RoleError(message + (f" ({where})" if where else ""), program=self._program, primitive=node.describe())
