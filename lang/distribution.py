"""How likely a model finds given texts."""

import html
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Distribution:
    """How likely a model finds each of several texts at one place. `distribution["yes"]` is a probability.

    Attributes:
        choices: the texts. probabilities: of each if the model had to write one of them; they sum to 1.
        logprobs: of each text as a whole, among everything the model might write (natural log).
        token_logprobs: the same by token, each as (log-probability, token id, text).
    """

    choices: tuple[str, ...]
    probabilities: tuple[float, ...]
    logprobs: tuple[float, ...]
    token_logprobs: tuple[tuple[tuple[float, int, str], ...], ...]

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> "Distribution":
        """From the metadata of a `select`."""
        tokens = tuple(tuple(map(tuple, entries)) for entries in meta["input_token_logprobs"])
        return cls(
            tuple(meta["choices"]),
            tuple(meta["probabilities"]),
            tuple(sum(entry[0] for entry in entries) for entries in tokens),
            tokens,
        )

    @property
    def best(self) -> str:
        """The likeliest text; of equal ones the first."""
        return max(zip(self.probabilities, self.choices, strict=True), key=lambda pair: pair[0])[1]

    @property
    def entropy(self) -> float:
        """Of `probabilities`, in nats: 0 when the model is sure."""
        return -sum(p * math.log(p) for p in self.probabilities if p > 0.0)

    @property
    def margin(self) -> float:
        """Distance between the two largest probabilities; 1 with a single text."""
        ranked = sorted(self.probabilities, reverse=True)
        return ranked[0] - (ranked[1] if len(ranked) > 1 else 0.0)

    def _repr_html_(self) -> str:
        """For notebooks: a bar a text, without style sheets, which notebooks may remove."""
        rows = "".join(
            f"<tr><td>{html.escape(choice)}</td><td>{probability:.1%}</td>"
            f'<td style="width: 14em"><div style="background: rgba(139, 92, 246, .45); height: .7em; '
            f'border-radius: 3px; width: {probability:.2%}"></div></td></tr>'
            for choice, probability in zip(self.choices, self.probabilities, strict=True)
        )
        return f"<table>{rows}</table>"

    def __getitem__(self, choice: str) -> float:
        try:
            return self.probabilities[self.choices.index(choice)]
        except ValueError:
            raise KeyError(choice) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.choices)

    def __len__(self) -> int:
        return len(self.choices)
