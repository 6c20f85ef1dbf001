"""Chats as the model's own template writes them, ready for the engine: template text and clients' text told apart.

A special token that a client writes in a message stays ordinary text; only the template itself can open and close
messages. Templates run in a sandbox, and they are the checkpoint's: requests cannot bring their own.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import TemplateError
from transformers.utils.chat_template_utils import render_jinja_template

from slipform.runtime.request import Segment, Text
from slipform.runtime.server.frames import EngineInfo
from slipform.runtime.server.http_errors import bad_request


class ChatRenderer:
    """Renders chats for one loaded model.

    Args:
        info: of the engine: the template and the special tokens.
    """

    def __init__(self, info: EngineInfo) -> None:
        self.template = info.chat_template
        self._named_tokens = info.special_tokens
        texts = sorted({*info.special_texts, *info.special_tokens.values()} - {""}, key=len, reverse=True)
        self._specials = re.compile("|".join(map(re.escape, texts))) if texts else None

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Mapping[str, Any]] | None = None,
        add_generation_prompt: bool = True,
        continue_final_message: bool = False,
        variables: Mapping[str, Any] | None = None,
    ) -> tuple[Segment, ...]:
        """The chat as segments. Slow on large chats: tens of microseconds a message.

        Args:
            variables: further names that the template sees (`chat_template_kwargs`).
        Raises: ApiError 400 if the model has no template, or the template refuses the messages.
        """
        if self.template is None:
            raise bad_request("this model has no chat template; use /v1/completions", "messages", "no_chat_template")
        shield = _Shield(self._specials)
        try:
            (text,), _ = render_jinja_template(
                [shield.cover(list(messages))],
                tools=None if tools is None else shield.cover(list(tools)),
                chat_template=self.template,
                add_generation_prompt=add_generation_prompt,
                continue_final_message=continue_final_message,
                **{**self._named_tokens, **shield.cover(dict(variables or {}))},
            )
        except (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            # Templates are programs over what clients sent; these are the ways in which they fail on it.
            raise bad_request(f"the chat template refuses them: {error}", "messages", "template_error") from error
        return shield.segments(text)


def text_of(segments: Sequence[Segment]) -> str:
    """The text of a rendered chat."""
    return "".join(segment.text for segment in segments if isinstance(segment, Text))


class _Shield:
    """Replaces special tokens inside clients' values by words nobody can guess, and finds them again."""

    def __init__(self, specials: "re.Pattern[str] | None") -> None:
        self._specials = specials
        self._word = secrets.token_hex(8)
        self._covered: list[str] = []

    def cover(self, value: Any) -> Any:
        """A copy of a JSON value, the special tokens in its strings replaced."""
        if self._specials is None:
            return value
        if isinstance(value, str):
            return self._specials.sub(self._cover_match, value)
        if isinstance(value, list):
            return [self.cover(item) for item in value]
        if isinstance(value, dict):
            return {key: self.cover(item) for key, item in value.items()}
        return value

    def _cover_match(self, match: "re.Match[str]") -> str:
        self._covered.append(match.group())
        return f"{self._word}x{len(self._covered) - 1}x"

    def segments(self, text: str) -> tuple[Segment, ...]:
        if self._specials is None:
            return (Text(text),) if text else ()
        placeholders = re.compile(f"{self._word}x([0-9]+)x")
        parts: list[Segment] = []
        at = 0
        for match in self._specials.finditer(text):
            parts.append(Text(self._uncover(placeholders, text[at : match.start()])))
            parts.append(Text(match.group(), parse_special=True))
            at = match.end()
        parts.append(Text(self._uncover(placeholders, text[at:])))
        return tuple(part for part in parts if not isinstance(part, Text) or part.text)

    def _uncover(self, placeholders: "re.Pattern[str]", text: str) -> str:
        return placeholders.sub(lambda match: self._covered[int(match.group(1))], text)
