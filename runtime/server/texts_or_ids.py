"""The type of fields that take a text or several, each of them as text or as token ids."""

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from slipform.runtime.server.sampling_fields import TokenId


def _kind(value: Any) -> str:
    """Which of the kinds a value is meant to be; the first item of a list says."""
    if not isinstance(value, list):
        return "str"
    match value:
        case [] | [str(), *_]:
            return "list[str]"
        case [list(), *_]:
            return "list[list[int]]"
        case _:
            return "list[int]"


# A plain union would try every kind on every item, and note a thousand errors before it took a thousand ids.
TextsOrIds = Annotated[
    Annotated[str, Tag("str")]
    | Annotated[list[str], Tag("list[str]")]
    | Annotated[list[TokenId], Tag("list[int]")]
    | Annotated[list[list[TokenId]], Tag("list[list[int]]")],
    Discriminator(_kind),
]
