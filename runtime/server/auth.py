"""API keys: who may do what, and whose cached prefixes a request may share."""

import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from slipform.errors import ConfigError

Scope = Literal["infer", "metrics", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
KEYS_VARIABLE = "SLIPFORM_API_KEYS"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sent a request.

    Attributes:
        name: for logs and metrics; never the key. scopes: what it may do; "admin" includes the others.
        salt: begins the cache namespace of its requests. It is derived from the key, so clients can neither time each
            other's prefixes nor choose another client's namespace.
    """

    name: str
    scopes: frozenset[Scope]
    salt: str

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or "admin" in self.scopes


ANONYMOUS = Identity("anonymous", frozenset(SCOPES), "")


class ApiKeys:
    """The keys that a server accepts. Without any key, everyone is `ANONYMOUS` and may do everything."""

    def __init__(self, entries: Iterable[str] = (), *, field: str = "keys") -> None:
        """`entries`: `KEY[:SCOPE,SCOPE…] [NAME]` each; the scope is "infer" where none is given. `field`: where they
        come from, for errors.

        Raises: ConfigError for an entry that cannot be read; the message never holds the key.
        """
        self._identities: list[tuple[bytes, Identity]] = []
        for number, entry in enumerate(entries, 1):
            self._identities.append(_read_entry(entry, number, field))
        self._check_distinct(field)

    @classmethod
    def load(cls, path: Path | None, environment: Mapping[str, str] = os.environ) -> "ApiKeys":
        """Keys of a file, one a line (`#` begins a comment line), and of SLIPFORM_API_KEYS, separated by `;`.

        Raises: ConfigError naming `keys_file` or the variable.
        """
        listed = [entry for entry in environment.get(KEYS_VARIABLE, "").split(";") if entry.strip()]
        keys = cls(listed, field=KEYS_VARIABLE)
        if path is not None:
            keys._identities += cls(_lines(path), field="keys_file")._identities
            keys._check_distinct("keys_file")
        return keys

    def _check_distinct(self, field: str) -> None:
        if len({digest for digest, _ in self._identities}) != len(self._identities):
            raise ConfigError("a key is given twice", field=field)

    def __bool__(self) -> bool:
        return bool(self._identities)

    def identify(self, authorization: str | None) -> Identity | None:
        """Who sends `Authorization: Bearer KEY` (the header's value), or None if no key fits.

        Takes the same time whichever key it is: digests are compared, all of them, each in constant time.
        """
        if not self._identities:
            return ANONYMOUS
        scheme, _, key = (authorization or "").partition(" ")
        digest = hashlib.sha256(key.strip().encode()).digest()
        found: Identity | None = None
        for known, identity in self._identities:
            if hmac.compare_digest(known, digest):
                found = identity
        return found if scheme.lower() == "bearer" else None


def _lines(path: Path) -> list[str]:
    """The lines of a file that are no comments."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", field="keys_file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not text in UTF-8", field="keys_file") from error
    entries = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not entries:
        raise ConfigError(f"{path} holds no key", field="keys_file")
    return entries


def _read_entry(entry: str, number: int, field: str) -> tuple[bytes, Identity]:
    spelled, _, name = entry.strip().partition(" ")
    key, _, listed = spelled.partition(":")
    scopes = listed.split(",") if listed else ["infer"]
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        raise ConfigError(f"entry {number} has the scope {unknown[0]!r}; known: {', '.join(SCOPES)}", field=field)
    if len(key) < 8:
        raise ConfigError(f"entry {number} is shorter than 8 characters", field=field)
    digest = hashlib.sha256(key.encode()).digest()
    salt = hmac.digest(digest, b"slipform cache namespace", "sha256").hex()[:32]
    granted: frozenset[Scope] = frozenset(scope for scope in SCOPES if scope in scopes)
    return digest, Identity(name.strip() or f"key-{number}", granted, salt)
