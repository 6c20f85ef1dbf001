"""Turns the keyword arguments of a Python call into the JSON text of an object, while they arrive."""

import json

_NAMES = {"True": "true", "False": "false", "None": "null"}
_ESCAPES = {"'": "'", '"': '\\"', "\\": "\\\\", "n": "\\n", "t": "\\t", "r": "\\r", "b": "\\b", "f": "\\f", "/": "/"}
_HEX_DIGITS = {"x": 2, "u": 4, "U": 8}
_BRACKETS = {"(": "[", ")": "]"}  # a tuple is a list


class PythonArguments:
    """An `ArgumentScanner` of `name=value, name=value` up to the closing parenthesis, which is not taken.

    Values are literals: numbers, strings in either quotes, True, False, None (or their JSON names), lists, tuples and
    dicts.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._quote = ""
        self._escape = ""  # what has come of an escape sequence
        self._word = ""  # a keyword, a number or a name that may go on
        self._expects_keyword = True
        self._opening = "{"  # what the next keyword is preceded by

    def take(self, text: str) -> tuple[str, int | None]:
        out: list[str] = []
        for index, character in enumerate(text):
            if self._quote:
                out.append(self._in_string(character))
            elif character == ")" and not self._depth:
                out.append(self._end_word())
                out.append("{}" if self._opening == "{" else "}")
                return "".join(out), index
            else:
                out.append(self._outside(character))
        return "".join(out), None

    def _outside(self, character: str) -> str:
        if character.isalnum() or character in "_.+-":
            self._word += character
            return ""
        if self._expects_keyword:
            return self._keyword() if character == "=" else ""
        word = self._end_word()
        if character in "\"'":
            self._quote = character
            return word + '"'
        if character in "([{":
            self._depth += 1
        elif character in ")]}":
            self._depth -= 1
        elif character == "," and not self._depth:
            self._expects_keyword = True
            self._opening = ", "
            return word
        return word + _BRACKETS.get(character, character)

    def _keyword(self) -> str:
        keyword = f"{self._opening}{json.dumps(self._word)}: "
        self._opening = ""
        self._word = ""
        self._expects_keyword = False
        return keyword

    def _end_word(self) -> str:
        word, self._word = self._word, ""
        return _NAMES.get(word, word)

    def _in_string(self, character: str) -> str:
        if self._escape:
            return self._in_escape(character)
        if character == "\\":
            self._escape = character
            return ""
        if character == self._quote:
            self._quote = ""
            return '"'
        return json.dumps(character)[1:-1] if character == '"' or character < " " else character

    def _in_escape(self, character: str) -> str:
        self._escape += character
        kind, digits = self._escape[1], self._escape[2:]
        if len(digits) < _HEX_DIGITS.get(kind, 0):
            return ""
        self._escape = ""
        if kind in _HEX_DIGITS:
            return json.dumps(chr(int(digits, 16)))[1:-1]
        return _ESCAPES.get(kind, "\\\\" + kind)
