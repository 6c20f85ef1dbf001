"""Several holes of one long answer, for APIs that fill one hole a call.

With `@sf.function(num_api_spec_tokens=k)` the first of a run of holes is asked for at least k tokens and without its
stops. What the model wrote beyond the first stop is kept, and the program goes on reading in it: text that the program
appends must stand there word for word, and a hole ends at its stop. Where it does not, the rest is forgotten and the
next hole is asked for as usual, so that speculation saves calls and never changes what a hole may hold. The idea, and
the name of the argument, are those of SGLang's frontend.
"""

from dataclasses import dataclass

from slipform.runtime.request import Fill, FillResult


@dataclass(slots=True)
class Ahead:
    """What a model wrote beyond the hole it was asked to fill.

    Attributes:
        text: the part that the program has not reached yet. request_id: of the call that wrote it.
    """

    num_tokens: int
    text: str = ""
    request_id: str = ""

    def pass_text(self, text: str) -> None:
        """The program appended `text`: it stands next in what was written, or all of that is worthless."""
        self.text = self.text[len(text) :] if self.text.startswith(text) else ""

    def fill(self, fill: Fill) -> FillResult | None:
        """The hole as it stands in what was written, or None where its end is not in there."""
        found = split_at_stop(self.text, fill) if self.text and can_speculate(fill) else None
        if found is None:
            self.text = ""
            return None
        value, stop, self.text = found
        return FillResult(fill.name, value, (), "stop", stop)

    def widened(self, fill: Fill) -> Fill:
        """The hole without its stops and with room for what follows it."""
        sampling = fill.sampling.replace(stop=(), max_tokens=max(fill.sampling.max_tokens, self.num_tokens))
        return Fill(fill.name, sampling, None, fill.heal, fill.jump_forward)


def can_speculate(fill: Fill) -> bool:
    """Whether a hole can be cut out of a longer text: free text up to a stop string."""
    sampling = fill.sampling
    plain = fill.constraint is None and not sampling.logprobs and not sampling.stop_regex and not sampling.min_tokens
    return plain and bool(sampling.stop)


def split_at_stop(text: str, fill: Fill) -> tuple[str, str, str] | None:
    """The value, the stop that ends it, and what follows the value (the stop included), or None without a stop.

    As in every hole the stop is not part of the value; the program writes it itself, or does not.
    """
    found = [(text.find(stop), stop) for stop in fill.sampling.stop if stop in text]
    if not found:
        return None
    at, stop = min(found, key=lambda place: place[0])
    end = at + len(stop) if fill.sampling.include_stop else at
    return text[:end], stop, text[end:]
