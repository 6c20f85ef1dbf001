"""What a tool is made of, and which words tell tools apart."""

import re
from dataclasses import dataclass

from slipform.runtime.embedded.values import Draw


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a tool.

    Attributes:
        kind: what requests call it, `{kind}`; names: what a schema may call it; about: descriptions.
        type: how JSON holds its value, `draw` draws one.
        phrases: wordings that state it behind a request; options: the values it may have, where these are few.
        surfaces: words of requests that mean an option without naming it.
    """

    kind: str
    names: tuple[str, ...]
    about: tuple[str, ...]
    type: str
    draw: Draw
    phrases: tuple[str, ...]
    options: tuple[str, ...] = ()
    surfaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool with its parameters, and whole requests that state some of them by `{kind}`.

    Tools of one `section` are rivals: no request for one of them could mean another, however alike they look. `apart` names
    tools and sections of which a request could mean this tool as well.
    """

    name: str
    about: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    required: int
    requests: tuple[str, ...]
    composed: bool = False
    section: str = ""
    apart: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Request:
    """A request in words, the arguments that it states by parameter kind, and how it begins and ends.

    Attributes:
        opens, closes: whether its first or last words are a value, which nothing may be joined to.
    """

    text: str
    arguments: dict[str, object]
    opens: bool
    closes: bool


COMMON_WORDS = frozenset(
    "give show tell need want please could would with from into this that what which where when have does your mine some"
    " much many list make take send find about change write create update delete check look them there will like".split()
)
STEM = 5
_WORD = re.compile(r"[A-Za-z]{4,}")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def stems(text: str) -> frozenset[str]:
    """The beginnings of the words of a name, a description or a request, common words and slots left out."""
    text = _CAMEL.sub(" ", re.sub(r"\{\w+\}", " ", text)).replace("_", " ")
    return frozenset(word[:STEM].lower() for word in _WORD.findall(text) if word.lower() not in COMMON_WORDS)


def names_its_tool(request: str, tool: Tool) -> bool:
    """Whether a request shares a word with the tool's name behind its verb, or with each of its descriptions.

    Somebody who has never met the tool can then find it.
    """
    words = stems(request)
    _, _, noun = tool.name.partition("_")
    return bool(words & stems(noun)) or all(words & stems(about) for about in tool.about)
