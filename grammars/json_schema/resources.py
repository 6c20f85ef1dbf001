"""Schema resources: dialects, identifiers, anchors, and the target of a reference.

A document is divided into resources by `$id` (`id` before draft-06). A resource is what a relative reference, an anchor
and a dynamic scope are about. Only the given documents and the metaschemas of the known drafts can be referred to:
nothing is fetched.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources as package_files
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from slipform.errors import GrammarSyntaxError, UnsupportedGrammar
from slipform.grammars.json_schema.reader import Json, escape_token

DRAFT_03, DRAFT_04, DRAFT_06, DRAFT_07, DRAFT_2019, DRAFT_2020 = 3, 4, 6, 7, 2019, 2020

_DIALECTS = {
    "json-schema.org/draft-03/schema": DRAFT_03,
    "json-schema.org/draft-04/schema": DRAFT_04,
    "json-schema.org/draft-06/schema": DRAFT_06,
    "json-schema.org/draft-07/schema": DRAFT_07,
    "json-schema.org/draft/2019-09/schema": DRAFT_2019,
    "json-schema.org/draft/2020-12/schema": DRAFT_2020,
}

_VOCABULARY = re.compile(
    "https://json-schema.org/draft/(?:2019-09|2020-12)/vocab/"
    "(?P<name>core|applicator|unevaluated|validation|meta-data|format|format-annotation|format-assertion|content)"
)

# Where the standard puts subschemas: below the keyword itself, in its list, or in its map.
_SINGLE = [
    "additionalItems",
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
]
_LISTS = ("allOf", "anyOf", "items", "oneOf", "prefixItems")
_MAPS = ("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties")


Metaschemas = Callable[[str], Json]  # by URI; None if it is not known


class Resource:
    """One schema resource.

    Attributes:
        path: where its root stands: a JSON pointer, behind a URI if not in our document.
        vocabularies: what its metaschema says in `$vocabulary`; None where that is a standard one or not known.
    """

    __slots__ = ("anchors", "dialect", "document", "dynamic_anchors", "path", "root", "uri", "vocabularies")

    def __init__(self, uri: str, root: dict[str, Json] | bool, path: str, dialect: int, document: "Document") -> None:
        self.uri = uri
        self.root = root
        self.path = path
        self.dialect = dialect
        self.document = document
        self.anchors: dict[str, tuple[Json, str]] = {}
        self.dynamic_anchors: dict[str, tuple[Json, str]] = {}
        self.vocabularies = _vocabularies(root, path, document.metaschemas) if isinstance(root, dict) else None


class Document:
    """One JSON document and its resources, found on construction.

    `embedded` maps the identity of each embedded resource's root to the resource; it is empty for most schemas.
    """

    def __init__(
        self,
        uri: str,
        root: dict[str, Json] | bool,
        prefix: str,
        *,
        has_identifiers: bool = True,
        dialect: int = DRAFT_2020,
        metaschemas: Metaschemas = lambda uri: None,
    ) -> None:
        """
        Args:
            uri: where it was found; "" if nowhere.
            prefix: stands before the JSON pointers of its places.
            dialect: of a document that does not name one.
            metaschemas: looks up those that are not the standard's own.
        """
        self.metaschemas = metaschemas
        found_at = uri
        if isinstance(root, dict):
            dialect = _dialect(root, prefix, dialect, metaschemas)
            uri = urljoin(uri, _identifier(root, dialect) or "")
        self.main = Resource(uri, root, prefix, dialect, self)
        self.resources: dict[str, Resource] = {uri.rstrip("#"): self.main, found_at.rstrip("#"): self.main}
        self.embedded: dict[int, Resource] = {}
        if has_identifiers and isinstance(root, dict):
            self._index(root)

    def _index(self, root: dict[str, Json]) -> None:
        todo: list[tuple[dict[str, Json], str, Resource]] = [(root, self.main.path, self.main)]
        while todo:
            schema, path, resource = todo.pop()
            if schema is not root:
                dialect = _dialect(schema, path, resource.dialect, self.metaschemas)
                identifier = _identifier(schema, dialect)
                if identifier is not None:
                    uri = urljoin(resource.uri, identifier).rstrip("#")
                    resource = Resource(uri, schema, path, dialect, self)
                    self.resources.setdefault(uri, resource)
                    self.embedded[id(schema)] = resource
            _collect_anchors(schema, path, resource)
            todo.extend((child, below, resource) for child, below in _subschemas(schema, path))


class Registry:
    """Resolves references among the resources of one document, of other given ones, and of the metaschemas."""

    def __init__(
        self,
        schema: Json,
        texts: Mapping[str, str],
        read: Callable[[str], Json],
        *,
        has_identifiers: bool = True,
    ) -> None:
        """
        Args:
            schema: the document itself.
            texts: other documents by URI, read by `read` when something leads to them.
            has_identifiers: False if the document is known to hold no anchor and no embedded resource.
        """
        self._texts = {uri.rstrip("#"): text for uri, text in texts.items()}
        self._read = read
        self._parsed: dict[str, Json] = {}
        self.main = Document("", schema, "", has_identifiers=has_identifiers, metaschemas=self._given)
        self._documents = [self.main]

    def resolve(self, reference: Json, resource: Resource, path: str) -> tuple[Json, str, Resource]:
        """The schema that `reference` names, seen from `resource`: (schema, path, its resource).

        `path` is where the reference stands, for errors.
        Raises: UnsupportedGrammar for another document; GrammarSyntaxError for a target that does not exist.
        """
        if not isinstance(reference, str):
            raise GrammarSyntaxError("a reference must be a string", path=path)
        if not reference.startswith("#"):
            uri, fragment = urldefrag(urljoin(resource.uri, reference))
            resource = self._resource(uri, reference, resource, path)
        else:
            fragment = reference[1:]
        if fragment == "":
            return resource.root, resource.path, resource
        if fragment[0] == "/":
            return _follow(resource, unquote(fragment) if "%" in fragment else fragment, reference, path)
        found = resource.anchors.get(unquote(fragment))
        if found is None:
            raise GrammarSyntaxError(f"{reference!r} names no anchor of this schema", path=path)
        return found[0], found[1], resource

    def _resource(self, uri: str, reference: str, resource: Resource, path: str) -> Resource:
        uri = uri.rstrip("#")
        if uri == resource.uri.rstrip("#"):
            return resource
        for document in self._documents:
            if uri in document.resources:
                return document.resources[uri]
        given = self._given(uri)
        if given is not None:
            dialect = self.main.main.dialect
            found: Document | None = Document(uri, given, uri, dialect=dialect, metaschemas=self._given)
        else:
            found = _metaschema(uri)
        if found is None:
            raise UnsupportedGrammar(
                f"the reference {reference!r}",
                path=path,
                reason="it leads to another document, which is not among the resources, and nothing is fetched",
            )
        self._documents.append(found)
        return found.main

    def _given(self, uri: str) -> Json:
        """The document given for `uri`; None if there is none.

        Raises: GrammarSyntaxError if it is no schema.
        """
        uri = uri.rstrip("#")
        if uri not in self._texts:
            return None
        if uri not in self._parsed:
            try:
                self._parsed[uri] = self._read(self._texts[uri])
            except GrammarSyntaxError as error:
                raise GrammarSyntaxError(f"the resource {uri!r}: {error}", path=uri) from None
        return self._parsed[uri]


def _follow(resource: Resource, pointer: str, reference: str, path: str) -> tuple[Json, str, Resource]:
    """Walk a JSON pointer from the root of `resource`; embedded resources change what is relative to what."""
    value: Json = resource.root
    embedded = resource.document.embedded
    for token in pointer[1:].split("/"):
        key = token.replace("~1", "/").replace("~0", "~") if "~" in token else token
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise GrammarSyntaxError(f"{reference!r} leads nowhere", path=path)
        if embedded and id(value) in embedded:
            resource = embedded[id(value)]
    where = resource.path + pointer if not embedded else _where(resource, value, pointer)
    return value, where, resource


def _where(resource: Resource, value: Json, pointer: str) -> str:
    """The path of a pointer's target when the pointer may have crossed into an embedded resource."""
    return resource.path if value is resource.root else f"{resource.document.main.path}{pointer}"


def _metaschema_uri(schema: dict[str, Json], path: str) -> str | None:
    uri = schema.get("$schema")
    if uri is not None and not isinstance(uri, str):
        raise GrammarSyntaxError("$schema must be a string", path=f"{path}/$schema")
    return uri


def _dialect(schema: dict[str, Json], path: str, default: int, metaschemas: Metaschemas) -> int:
    """The draft that `$schema` names, or that its metaschema does; the newest if neither is known."""
    uri = _metaschema_uri(schema, path)
    seen = set()
    while uri is not None and uri not in seen:
        seen.add(uri)
        name = uri.rstrip("#").removeprefix("https://").removeprefix("http://")
        if name in _DIALECTS:
            return _DIALECTS[name]
        metaschema = metaschemas(uri)
        default = DRAFT_2020
        uri = _metaschema_uri(metaschema, uri) if isinstance(metaschema, dict) else None
    return default


def _vocabularies(schema: dict[str, Json], path: str, metaschemas: Metaschemas) -> frozenset[str] | None:
    """The vocabularies of a metaschema that was given, by their last name, such as "validation".

    Raises: UnsupportedGrammar for one that the metaschema requires and that is not known.
    """
    uri = _metaschema_uri(schema, path)
    metaschema = metaschemas(uri) if uri is not None else None
    listed = metaschema.get("$vocabulary") if isinstance(metaschema, dict) else None
    if not isinstance(listed, dict):
        return None
    known = {name: match["name"] for name in listed if (match := _VOCABULARY.fullmatch(name))}
    for name, required in listed.items():
        if required and name not in known:
            raise UnsupportedGrammar(f"the vocabulary {name!r}", path=f"{path}/$schema", reason="it is not known")
    return frozenset(known.values())


def _identifier(schema: dict[str, Json], dialect: int) -> str | None:
    """The URI part of the schema's identifier, if it starts a resource."""
    if dialect <= DRAFT_07 and "$ref" in schema:
        return None  # siblings of a reference are ignored before 2019-09
    value = schema.get("id" if dialect <= DRAFT_04 else "$id")
    if not isinstance(value, str) or value.startswith("#"):
        return None
    return value


def _collect_anchors(schema: dict[str, Json], path: str, resource: Resource) -> None:
    if resource.dialect <= DRAFT_07:
        name = schema.get("id" if resource.dialect <= DRAFT_04 else "$id")
        if isinstance(name, str) and name.startswith("#") and len(name) > 1:
            resource.anchors.setdefault(name[1:], (schema, path))
        return
    for keyword in ("$anchor", "$dynamicAnchor"):
        name = schema.get(keyword)
        if isinstance(name, str):
            resource.anchors.setdefault(name, (schema, path))
    name = schema.get("$dynamicAnchor")
    if isinstance(name, str):
        resource.dynamic_anchors.setdefault(name, (schema, path))
    if schema.get("$recursiveAnchor") is True and schema is resource.root:
        resource.dynamic_anchors[""] = (schema, path)


def _subschemas(schema: dict[str, Json], path: str) -> Iterator[tuple[dict[str, Json], str]]:
    for keyword in _SINGLE:
        child = schema.get(keyword)
        if isinstance(child, dict):
            yield child, f"{path}/{keyword}"
    for keyword in _LISTS:
        children = schema.get(keyword)
        if isinstance(children, list):
            for index, child in enumerate(children):
                if isinstance(child, dict):
                    yield child, f"{path}/{keyword}/{index}"
    for keyword in _MAPS:
        members = schema.get(keyword)
        if isinstance(members, dict):
            for key, child in members.items():
                if isinstance(child, dict):
                    yield child, f"{path}/{keyword}/{escape_token(key)}"


def may_have_identifiers(text: str, schema: Json) -> bool:
    """Whether a document can hold anchors or embedded resources; decided from its text, without walking it."""
    if any(f'"{keyword}"' in text for keyword in ("$anchor", "$dynamicAnchor", "$recursiveAnchor")):
        return True
    own = isinstance(schema, dict) and "$id" in schema
    if text.count('"$id"') > own:
        return True
    if isinstance(schema, dict) and _dialect(schema, "", DRAFT_2020, lambda uri: None) <= DRAFT_04:
        return text.count('"id"') > ("id" in schema)
    return False


@cache
def _metaschema(uri: str) -> Document | None:
    """The metaschema (or vocabulary) document that `uri` names, if it is one of the standard's own."""
    for scheme in ("https://", "http://"):
        text = _metaschema_texts().get(scheme + uri.removeprefix("https://").removeprefix("http://"))
        if text is not None:
            return Document(uri, text, uri, has_identifiers=True)
    return None


@cache
def _metaschema_texts() -> dict[str, Any]:
    data = package_files.files("slipform.grammars.json_schema").joinpath("metaschemas.json").read_text("utf-8")
    return {entry.get("$id", entry.get("id")).rstrip("#"): entry for entry in json.loads(data)}
