"""Chat messages as the model's own Jinja template writes them, cut into pieces that a growing conversation can append.

A chat template renders a whole list of messages. A program appends one role at a time and fills holes inside it, so the
template is rendered with a marker in place of each message's content, and what stands between the markers is the text
to append when a role opens and closes. Only the order of roles matters for that, so splits are shared by all rows of a
batch.
"""

import datetime
import functools
import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from slipform.errors import ConfigError, RoleError
from slipform.runtime.request import Text

CALLS = "calls:"
"""With a number behind it, the role of a message in which the model made so many calls."""

_ANY_MARKER = re.compile(r"QzSLIPFORM(\d+)FORMSLIPzQ")


def _marker(index: int) -> str:
    return f"QzSLIPFORM{index}FORMSLIPzQ"


@dataclass(frozen=True, slots=True)
class Opening:
    """What comes before a message's content.

    Attributes:
        pieces: template text, and between two of them the content of a message (its index) that the template writes
            only together with this one, as Llama-2 does with the system text.
    """

    pieces: tuple[str | int, ...]


class ChatTemplate:
    """A Jinja chat template, rendered as Hugging Face transformers renders it.

    Args:
        source: the template. named_tokens: `bos_token`, `eos_token` … as the template sees them.
        special_tokens: texts of all special tokens. Only these become special tokens; the rest of the template's text
            is encoded together with the content beside it, as if the whole conversation were encoded at once.
    """

    def __init__(
        self, source: str, *, named_tokens: Mapping[str, str] | None = None, special_tokens: Sequence[str] = ()
    ) -> None:
        self.source = source
        self._named_tokens = dict(named_tokens or {})
        self._special_tokens = tuple(special_tokens)
        self._tools: tuple[str, ...] = ()
        specials = sorted({*special_tokens, *self._named_tokens.values()} - {""}, key=len, reverse=True)
        self._specials = re.compile("(" + "|".join(map(re.escape, specials)) + ")") if specials else None
        try:
            self._template = _environment().from_string(source)
        except TemplateSyntaxError as error:
            raise ConfigError(f"line {error.lineno}: {error.message}", field="chat_template") from error
        self._lock = threading.Lock()
        self._opening = functools.lru_cache(maxsize=4096)(self._split_opening)
        self._closing = functools.lru_cache(maxsize=4096)(self._split_closing)
        self._strip = functools.lru_cache(maxsize=64)(self._find_strip)
        self._with_tools = functools.lru_cache(maxsize=64)(self._make_with_tools)

    def opening(self, roles: tuple[str, ...], *, generate: bool) -> Opening | None:
        """The text that opens the last of `roles`; None when the template writes that message only with the next.

        Args:
            generate: the message begins with a hole, so open it with the template's generation prompt.
        Raises: RoleError when the template refuses the roles or cannot be appended to.
        """
        with self._lock:
            return self._opening(roles, generate)

    def closing(self, roles: tuple[str, ...]) -> str:
        """The text that closes the last of `roles`."""
        with self._lock:
            return self._closing(roles)

    def strips(self, role: str) -> bool:
        """Whether the template strips blanks around the content of `role`."""
        with self._lock:
            return self._strip(role)

    # Tools. A message of calls is the role CALLS with their number ("calls:2"); its text is what the model wrote.

    def with_tools(self, tools: Sequence[Mapping[str, Any]]) -> "ChatTemplate":
        """This template as it writes conversations in which the model has tools, in the form of chat APIs."""
        return self._with_tools(tuple(json.dumps(tool, ensure_ascii=False) for tool in tools))

    def _make_with_tools(self, tools: tuple[str, ...]) -> "ChatTemplate":
        other = ChatTemplate(self.source, named_tokens=self._named_tokens, special_tokens=self._special_tokens)
        other._tools = tools
        return other

    def writes_results(self, num_calls: int) -> bool:
        """Whether the template has messages for the results of so many calls in one message that a running conversation
        can be given."""
        roles = ("user", f"{CALLS}{num_calls}", *["tool"] * num_calls)
        try:
            with self._lock:
                for number in range(3, len(roles) + 1):
                    self._opening(roles[:number], False)
                    self._closing(roles[:number])
                opening = self._opening((*roles, "assistant"), True)
            self.result_text("")
        except RoleError:
            return False
        return opening is not None

    def result_text(self, text: str) -> str:
        """The result of a call as the template writes it into its message: as it is, or as inside a JSON string.

        Raises: RoleError for a template that writes it in another way.
        """
        match self._result_form:
            case "plain":
                return text
            case "json":
                return json.dumps(text, ensure_ascii=False)[1:-1]
            case _:
                raise RoleError("the chat template changes the results of calls", primitive="tool")

    @functools.cached_property
    def _result_form(self) -> str | None:
        probe = 'a"\\\n{b'
        before = self._messages(("user", f"{CALLS}1"))
        result = {
            "role": "tool",
            "content": f"{_marker(0)}{probe}{_marker(1)}",
            "name": "tool",
            "tool_call_id": _call_id(0),
        }
        try:
            rendered = self.render([*before, result])
        except (TemplateError, TypeError, IndexError):
            return None
        if f"{_marker(0)}{probe}{_marker(1)}" in rendered:
            return "plain"
        return "json" if f"{_marker(0)}{json.dumps(probe)[1:-1]}{_marker(1)}" in rendered else None

    def segments(self, text: str) -> tuple[Text, ...]:
        """Template text as segments: special tokens apart from the rest."""
        if self._specials is None:
            return (Text(text),) if text else ()
        return tuple(
            Text(part, parse_special=index % 2 == 1) for index, part in enumerate(self._specials.split(text)) if part
        )

    def render(self, messages: Sequence[Mapping[str, Any]], *, add_generation_prompt: bool = False) -> str:
        """The whole conversation at once. Raises: jinja2.TemplateError as the template does."""
        return self._template.render(
            messages=[dict(message) for message in messages],
            add_generation_prompt=add_generation_prompt,
            tools=[json.loads(tool) for tool in self._tools] or None,
            documents=None,
            **self._named_tokens,
        )

    # Splitting. `tail` is what follows the last message's marker in a rendering.

    def _marked(self, roles: tuple[str, ...], *, add_generation_prompt: bool = False) -> str:
        return self.render(self._messages(roles), add_generation_prompt=add_generation_prompt)

    def _messages(self, roles: tuple[str, ...]) -> list[dict[str, Any]]:
        """Messages with markers for contents. Results answer the calls before them in order."""
        messages: list[dict[str, Any]] = []
        num_answered = 0
        for index, role in enumerate(roles):
            message: dict[str, Any] = {"role": role, "content": _marker(index)}
            if role.startswith(CALLS):
                num_answered = 0
                function = {"name": "tool", "arguments": {}}
                calls = range(int(role.removeprefix(CALLS)))
                listed = [{"id": _call_id(number), "type": "function", "function": function} for number in calls]
                message = {"role": "assistant", "content": "", "tool_calls": listed}
            elif role == "tool":
                message |= {"name": "tool", "tool_call_id": _call_id(num_answered)}
                num_answered += 1
            messages.append(message)
        return messages

    def _try_marked(self, roles: tuple[str, ...], *, add_generation_prompt: bool = False) -> str | None:
        try:
            return self._marked(roles, add_generation_prompt=add_generation_prompt)
        except (TemplateError, TypeError, IndexError):
            return None

    def _split_opening(self, roles: tuple[str, ...], generate: bool) -> Opening | None:
        last = len(roles) - 1
        if last and roles[-2].startswith(CALLS):
            return self._behind_calls(roles)
        written = self._last_written(roles[:-1])
        closed = self._closing(roles[: written + 1]) if written is not None else ""
        if generate and written == last - 1:
            prompt = self._generation_prompt(roles, closed)
            if prompt is not None:
                return Opening((prompt,) if prompt else ())
        try:
            rendered = self._marked(roles)
        except (TemplateError, TypeError, IndexError) as error:
            if _can_wait(roles):
                return None
            raise RoleError(
                f"the chat template refuses the roles {_list(roles)}: {error}", primitive=roles[-1]
            ) from error
        if rendered.count(_marker(last)) != 1:
            if _marker(last) not in rendered and _can_wait(roles):
                return None
            raise RoleError(
                f"the chat template writes the content of message {last + 1} of {_list(roles)} "
                f"{rendered.count(_marker(last))} times, so holes cannot stand in it",
                primitive=roles[-1],
            )
        before = rendered[: rendered.index(_marker(last))]
        if written is not None:
            if before.count(_marker(written)) != 1:
                raise _moved(roles)
            before = before[before.index(_marker(written)) + len(_marker(written)) :]
            if not before.startswith(closed):
                raise _moved(roles)
            before = before[len(closed) :]
        parts = _ANY_MARKER.split(before)
        pieces: list[str | int] = [int(part) if index % 2 else part for index, part in enumerate(parts)]
        waiting = list(range(0 if written is None else written + 1, last))
        if [piece for piece in pieces if isinstance(piece, int)] != waiting:
            raise _moved(roles)
        return Opening(tuple(piece for piece in pieces if piece != ""))

    def _behind_calls(self, roles: tuple[str, ...]) -> Opening:
        """Opens the first result. The calls themselves stand in the text as the model wrote them, closed as an answer
        is; what the template writes behind its own rendering of calls follows."""
        last = len(roles) - 1
        answered = (*roles[:-2], "assistant")
        before, after = self._try_marked(roles[:-1]), self._try_marked(roles)
        whole = self._try_marked(answered)
        if before is None or after is None or whole is None or after.count(_marker(last)) != 1:
            raise RoleError("the chat template has no messages for the results of calls", primitive=roles[-1])
        end, closed = _tail(whole, last - 1), self._closing(answered)
        if not after.startswith(before) or not before.endswith(end) or not end.startswith(closed):
            raise _moved(roles)
        return Opening((end[len(closed) :] + after[len(before) : after.index(_marker(last))],))

    def _generation_prompt(self, roles: tuple[str, ...], closed: str) -> str | None:
        """What the template appends for the model to go on, or None where it has no say in that."""
        before = roles[:-1]
        rendered = self._try_marked(before, add_generation_prompt=True)
        if rendered is None or roles[-1] != "assistant":
            return None
        tail = _tail(rendered, len(before) - 1) if before else rendered
        if not tail.startswith(closed):
            return None
        prompt = tail[len(closed) :]
        if prompt:
            return prompt
        # Llama-2 and Mistral have no generation prompt: the answer stands right behind the question. Others write the
        # message's head in the loop only, and then that head is what the model needs.
        whole = self._try_marked(roles)
        if whole is None or whole.count(_marker(len(before))) != 1:
            return None
        head = _tail(whole[: whole.index(_marker(len(before)))], len(before) - 1) if before else whole
        return "" if not head[len(closed) :].strip() else None

    def _last_written(self, roles: tuple[str, ...]) -> int | None:
        """Index of the last message whose content a rendering of `roles` holds."""
        for index in range(len(roles) - 1, -1, -1):
            rendered = self._try_marked(roles[: index + 1])
            if rendered is not None and _marker(index) in rendered:
                return index
        return None

    def _split_closing(self, roles: tuple[str, ...]) -> str:
        """What follows the last message however the conversation goes on: the common part over its continuations."""
        last = len(roles) - 1
        rendered = self._try_marked(roles)
        tails = [] if rendered is None else [_tail(rendered, last)]
        for follower in ("user", "assistant", "tool"):
            longer = self._try_marked((*roles, follower))
            if longer is not None and longer.count(_marker(last)) == 1:
                tails.append(_tail(longer, last).split(_marker(last + 1))[0])
        if not tails:
            raise RoleError(f"the chat template refuses the roles {_list(roles)}", primitive=roles[-1])
        return _common_prefix(tails)

    def _find_strip(self, role: str) -> bool:
        messages = [{"role": role, "content": f" \n{_marker(0)}\n "}]
        if role != "user":
            messages.insert(0, {"role": "user", "content": "x"})
        try:
            rendered = self.render(messages)
        except (TemplateError, TypeError, IndexError):
            return False
        return _marker(0) in rendered and f" \n{_marker(0)}\n " not in rendered


@functools.cache
def plain_roles() -> ChatTemplate:
    """Roles for a model without a chat template: each message behind its role's name, as SGLang's default writes it."""
    return ChatTemplate(
        "{% for message in messages %}{{ message.role | upper }}:{{ message.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
    )


def _call_id(number: int) -> str:
    """Nine characters, as Mistral's templates ask for."""
    return f"call{number:05d}"


def _can_wait(roles: tuple[str, ...]) -> bool:
    """A system message may be written only together with the first user message."""
    return set(roles) == {"system"}


def _tail(rendered: str, index: int) -> str:
    marker = _marker(index)
    return rendered[rendered.index(marker) + len(marker) :] if marker in rendered else rendered


def _common_prefix(texts: Sequence[str]) -> str:
    shortest, longest = min(texts), max(texts)
    for index, character in enumerate(shortest):
        if index >= len(longest) or longest[index] != character:
            return shortest[:index]
    return shortest


def _list(roles: Sequence[str]) -> str:
    return ", ".join(roles)


def _moved(roles: Sequence[str]) -> RoleError:
    return RoleError(
        f"the chat template rewrites earlier messages when it comes to message {len(roles)} of {_list(roles)}, and a "
        "running program cannot take back text; put the system text into the first user message",
        primitive=roles[-1],
    )


class _GenerationBlock(Extension):
    """`{% generation %}…{% endgeneration %}` marks what a model wrote; the text passes through."""

    tags = {"generation"}  # noqa: RUF012  # as the base class declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return list(parser.parse_statements(("name:endgeneration",), drop_needle=True))


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationBlock, loopcontrols]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _strftime_now
    return environment


def _raise_exception(message: str) -> None:
    raise TemplateError(message)


def _strftime_now(pattern: str) -> str:
    return datetime.datetime.now().strftime(pattern)


def _tojson(value: Any, ensure_ascii: bool = False, indent: int | None = None, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, **options)
