"""Tokens of Lark grammars, and the terminals of Lark's library `common`."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from slipform.errors import GrammarSyntaxError

_TOKEN: Final = re.compile(
    r"""
    (?P<blank>[ \t\r]+|//[^\n]*|\#[^\n]*|\\\r?\n)
  | (?P<newline>\n)
  | (?P<inline>%(?:json|regex|lark)\b)
  | (?P<directive>%[a-z]+)
  | (?P<name>[!?]*_*[a-z][a-zA-Z0-9_-]*)
  | (?P<terminal>_*[A-Z][A-Z0-9_]*)
  | (?P<string>"(?:\\.|[^"\\\n])*"i?)
  | (?P<regexp>/(?!/)(?:\\.|[^/\\\n])+/[imslux]*)
  | (?P<number>[+-]?\d+)
  | (?P<special><[^<>\s]+>)
  | (?P<operator>->|\.\.|[:|()\[\]{},.~&*+?=@])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is a group of the token pattern, "json value" or "end"; `path` is `line:column`."""

    kind: str
    text: str
    start: int
    path: str
    value: Any = None


def tokens(text: str) -> list[Token]:
    """The tokens of a grammar, white space and comments left out. Raises: GrammarSyntaxError with line and column."""
    found: list[Token] = []
    at = line = line_start = 0
    while at < len(text):
        path = f"{line + 1}:{at - line_start + 1}"
        match = _TOKEN.match(text, at)
        if match is None:
            raise GrammarSyntaxError(f"unexpected {text[at]!r}", pattern=text, position=at, path=path)
        kind = match.lastgroup or ""
        end = match.end()
        if kind == "inline":
            found.append(Token("directive", match[0], at, path))
            if match[0] == "%lark":
                continue_at = end
            else:
                begin = re.compile(r"\s*").match(text, end)
                start = begin.end() if begin else end
                try:
                    value, continue_at = json.JSONDecoder().raw_decode(text, start)
                except json.JSONDecodeError as error:
                    raise GrammarSyntaxError(
                        f"{error.msg} in the JSON behind {match[0]}", pattern=text, position=error.pos, path=path
                    ) from error
                found.append(Token("json value", text[start:continue_at], start, path, value))
            end = continue_at
        elif kind != "blank":
            found.append(Token(kind, match[0], at, path))
        line += text.count("\n", at, end)
        newline = text.rfind("\n", at, end)
        line_start = newline + 1 if newline >= 0 else line_start
        at = end
    found.append(Token("end", "", at, f"{line + 1}:{at - line_start + 1}"))
    return found


# Lark's grammars/common.lark, written as regexes. A string ends at the first quote that no backslash escapes, a comment
# at its first closing mark.
COMMON: Final[dict[str, str]] = {
    "DIGIT": "[0-9]",
    "HEXDIGIT": "[a-fA-F0-9]",
    "INT": "[0-9]+",
    "SIGNED_INT": "[+-]?[0-9]+",
    "DECIMAL": r"[0-9]+\.[0-9]*|\.[0-9]+",
    "FLOAT": r"[0-9]+[eE][+-]?[0-9]+|(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?",
    "SIGNED_FLOAT": r"[+-]?(?:[0-9]+[eE][+-]?[0-9]+|(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)",
    "NUMBER": r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?",
    "SIGNED_NUMBER": r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?",
    "ESCAPED_STRING": r'"(?:[^"\\\n]|\\[^\n])*"',
    "LCASE_LETTER": "[a-z]",
    "UCASE_LETTER": "[A-Z]",
    "LETTER": "[a-zA-Z]",
    "WORD": "[a-zA-Z]+",
    "CNAME": "[_a-zA-Z][_a-zA-Z0-9]*",
    "WS_INLINE": r"[ \t]+",
    "WS": r"[ \t\f\r\n]+",
    "CR": r"\r",
    "LF": r"\n",
    "NEWLINE": r"(?:\r?\n)+",
    "SH_COMMENT": r"#[^\n]*",
    "CPP_COMMENT": r"//[^\n]*",
    "C_COMMENT": r"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/",
    "SQL_COMMENT": r"--[^\n]*",
}
