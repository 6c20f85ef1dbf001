"""Several holes of one long answer, for APIs that fill one hole a call.

With `@sf.function(num_api_spec_tokens=k)` the first of a run of holes is asked for at least k tokens and without its
stops. What the model wrote beyond the first hole is kept, and the program goes on reading in it: text that the program
appends must stand there word for word, and a hole ends where its own rules end it. Where that does not hold, the rest
is forgotten and the next hole is asked for as usual, so that speculation saves calls and never changes what a hole may
hold. The idea, and the name of the argument, are those of SGLang's frontend.

APIs of messages cannot go on inside a message that has begun. There `cut_message` reads a whole message against the
text and the holes that the program has for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import regex

from slipform.errors import BackendError
from slipform.grammars.spec import AnyText
from slipform.lang.offline import longest_match, matches
from slipform.runtime.request import Fill, FillResult, Text

CountTokens = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Cut:
    """A hole as it stands at the beginning of a longer text.

    Attributes:
        value: what the hole holds. stop: the stop string or pattern that ended it, or None. rest: what follows the
            value, a stop that is not part of it included.
    """

    value: str
    stop: str | None
    rest: str

    def result(self, fill: Fill) -> FillResult:
        return FillResult(fill.name, self.value, (), "stop", self.stop)


@dataclass(slots=True)
class Ahead:
    """What a model wrote beyond the hole it was asked to fill.

    Attributes:
        num_tokens: how far to let it write. count_tokens: of a text.
        text: the part that the program has not reached yet. is_whole: the model ended by itself behind it.
        request_id: of the call that wrote it.
    """

    num_tokens: int
    count_tokens: CountTokens
    text: str = ""
    is_whole: bool = False
    request_id: str = ""

    def pass_text(self, text: str) -> None:
        """The program appended `text`: it stands next in what was written, or all of that is worthless."""
        self.text = self.text[len(text) :] if self.text.startswith(text) else ""

    def fill(self, fill: Fill) -> FillResult | None:
        """The hole as it stands in what was written, or None where its end is not in there."""
        found = self.cut(self.text, fill, is_whole=self.is_whole) if self.text else None
        self.text = "" if found is None else found.rest
        return None if found is None else found.result(fill)

    def cut(self, text: str, fill: Fill, *, is_whole: bool) -> Cut | None:
        """`cut_hole`, within the hole's own budget."""
        found = cut_hole(text, fill, is_whole=is_whole)
        within = found is not None and self.count_tokens(found.value) <= fill.sampling.max_tokens
        return found if within else None

    def widened(self, fill: Fill) -> Fill:
        """The hole without its stops and with room for what follows it."""
        sampling = fill.sampling.replace(
            stop=(), stop_regex=(), max_tokens=max(fill.sampling.max_tokens, self.num_tokens)
        )
        return Fill(fill.name, sampling, None, fill.heal, fill.jump_forward)


def can_widen(fill: Fill) -> bool:
    """Whether a hole can be asked for together with what follows it: free text that a stop of its own ends."""
    stops = bool(fill.sampling.stop or fill.sampling.stop_regex)
    return stops and _is_free(fill) and _is_plain(fill)


def cut_hole(text: str, fill: Fill, *, is_whole: bool) -> Cut | None:
    """What a hole holds where `text` begins with it, or None where that is not certain.

    Free text ends at its first stop, or with the text where the model ended by itself (`is_whole`). A hole with a
    constraint ends at its first stop where what stands before that matches, and otherwise takes the longest beginning
    that matches; one that reaches the end of the text might have gone on.
    """
    if not _is_plain(fill):
        return None
    if _is_free(fill):
        return _cut_at_stop(text, fill) or (Cut(text, None, "") if is_whole else None)
    assert fill.constraint is not None
    stopped = _cut_at_stop(text, fill)
    if stopped is not None and matches(fill.constraint, stopped.value):
        return stopped
    end, may_go_on = longest_match(fill.constraint, text)
    if end is None or (may_go_on and end == len(text) and not is_whole):
        return None
    return Cut(text[:end], None, text[end:])


def cut_message(
    text: str, parts: Sequence[Text | Fill], count_tokens: CountTokens, *, is_whole: bool
) -> tuple[list[FillResult], str]:
    """The holes of a message that a model wrote as a whole, and what is left of it behind the last one.

    Raises: BackendError saying where the message departs from `parts`.
    """
    results: list[FillResult] = []
    ahead = Ahead(0, count_tokens)
    for part in parts:
        if isinstance(part, Text):
            if not text.startswith(part.text):
                raise BackendError(f"the model wrote {text[:80]!r} where the program goes on with {part.text[:80]!r}")
            text = text[len(part.text) :]
            continue
        found = ahead.cut(text, part, is_whole=is_whole)
        if found is None:
            hole = f"gen({part.name!r})" if part.name is not None else "a hole"
            raise BackendError(f"{hole} is not to be found at the beginning of {text[:80]!r}")
        results.append(found.result(part))
        text = found.rest
    return results, text


def _is_free(fill: Fill) -> bool:
    return fill.constraint is None or fill.constraint == AnyText()


def _is_plain(fill: Fill) -> bool:
    """Whether the text alone says what the hole holds."""
    return not fill.sampling.logprobs and not fill.sampling.top_logprobs and not fill.sampling.min_tokens


def _cut_at_stop(text: str, fill: Fill) -> Cut | None:
    """The text up to the first of the stops. As in every hole the stop is not part of the value; the program writes it
    itself, or does not."""
    found = [(text.find(stop), len(stop), stop) for stop in fill.sampling.stop if stop in text]
    for pattern in fill.sampling.stop_regex:
        match = regex.search(pattern, text)
        if match is not None:
            found.append((match.start(), match.end() - match.start(), pattern))
    if not found:
        return None
    at, length, stop = min(found, key=lambda place: place[0])
    end = at + length if fill.sampling.include_stop else at
    return Cut(text[:end], stop, text[end:])
