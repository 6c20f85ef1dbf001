"""Finds the end of a JSON value that arrives in pieces."""

_SPACE = " \t\n\r"


class JsonScanner:
    """Follows one JSON value, given in pieces. Trusts that it is well formed; only its end is looked for."""

    __slots__ = ("_depth", "_escaped", "_in_string", "_is_scalar")

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._is_scalar = False

    def end(self, text: str) -> int | None:
        """How many characters of `text`, which goes on from the last piece, belong to the value; None if all do and
        more may come."""
        for index, character in enumerate(text):
            if self._in_string:
                if self._escaped:
                    self._escaped = False
                elif character == "\\":
                    self._escaped = True
                elif character == '"':
                    self._in_string = False
                    if not self._depth:
                        return index + 1
            elif character == '"':
                self._in_string = True
            elif character in "{[":
                self._depth += 1
            elif character in "}]":
                if not self._depth:
                    return index
                self._depth -= 1
                if not self._depth:
                    return index + 1
            elif not self._depth:
                if self._is_scalar and (character in _SPACE or character == ","):
                    return index
                self._is_scalar = self._is_scalar or character not in _SPACE
        return None
