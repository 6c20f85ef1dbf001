"""Answers in OpenAI's shapes, whole or streamed, of chats and of completions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slipform.errors import BackendError

# Token, log-probability, alternatives: texts, since APIs name tokens by their text.
NamedLogprob = tuple[str, float, tuple[tuple[str, float], ...]]


@dataclass(slots=True)
class Answer:
    """One choice. Lengths are the API's own tokens."""

    text: str = ""
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    logprobs: list[NamedLogprob] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0


def answers_of(body: Any) -> list[Answer]:
    """The choices of an answer that came whole, in order. Raises: BackendError for what is no such answer."""
    try:
        choices = sorted(body["choices"], key=lambda choice: choice["index"])
    except (KeyError, TypeError) as error:
        raise BackendError(f"the API's answer holds no choices: {str(body)[:200]}") from error
    answers = []
    for choice in choices:
        answer = Answer()
        _add(answer, choice, choice.get("message") or choice)
        answers.append(answer)
    _add_usage(answers[0], body)
    return answers


class AnswerStream:
    """Puts one streamed choice together."""

    def __init__(self) -> None:
        self._answer = Answer()

    def push(self, chunk: Any) -> str:
        """Take one chunk; returns its text."""
        before = len(self._answer.text)
        for choice in chunk.get("choices") or ():
            _add(self._answer, choice, choice.get("delta") or choice)
        _add_usage(self._answer, chunk)
        return self._answer.text[before:]

    def answer(self) -> Answer:
        """Raises: BackendError if the stream ended before the answer did."""
        if self._answer.finish_reason is None:
            raise BackendError("the API's stream ended before its answer")
        return self._answer


def _add(answer: Answer, choice: Mapping[str, Any], message: Mapping[str, Any]) -> None:
    if message.get("refusal"):
        raise BackendError(f"the model refused: {message['refusal']}")
    calls = message.get("tool_calls") or ()
    text = message.get("content") or message.get("text") or ""
    answer.text += "".join(call["function"].get("arguments") or "" for call in calls) or text
    if choice.get("finish_reason"):
        answer.finish_reason = str(choice["finish_reason"])
        answer.stop_reason = choice.get("stop_reason", choice.get("matched_stop"))
    if answer.finish_reason == "content_filter":
        raise BackendError("the API withheld the answer (content_filter)")
    if choice.get("logprobs"):
        answer.logprobs += _logprobs(choice["logprobs"])


def _logprobs(value: Mapping[str, Any]) -> list[NamedLogprob]:
    if "content" in value:
        return [
            (
                entry["token"],
                entry["logprob"],
                tuple((other["token"], other["logprob"]) for other in entry.get("top_logprobs") or ()),
            )
            for entry in value["content"] or ()
        ]
    tops = value.get("top_logprobs") or [{}] * len(value["tokens"])
    return [
        (token, logprob if logprob is not None else 0.0, tuple((top or {}).items()))
        for token, logprob, top in zip(value["tokens"], value["token_logprobs"], tops, strict=True)
    ]


def _add_usage(answer: Answer, body: Mapping[str, Any]) -> None:
    usage = body.get("usage") or {}
    answer.prompt_tokens = usage.get("prompt_tokens", answer.prompt_tokens)
    answer.completion_tokens = usage.get("completion_tokens", answer.completion_tokens)
    details = usage.get("prompt_tokens_details") or {}
    answer.cached_tokens = details.get("cached_tokens") or answer.cached_tokens
