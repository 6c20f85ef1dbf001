"""Compiled grammars as files: the builder's tables as arrays, everything else as JSON. No code is run on loading.

save_grammar(grammar, path)
grammar = load_grammar(path, vocabulary)
"""

import json
from array import array
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from slipform.errors import ConfigError
from slipform.grammars import spec as spec_module
from slipform.grammars.builder import NODE_COLUMNS, Builder, Node
from slipform.grammars.compiler import CompiledGrammar
from slipform.grammars.limits import Limits
from slipform.grammars.members import Clause, Extra, Member, MembersSolver, MembersSpec
from slipform.grammars.vocabulary import Vocabulary, write_arrays

_FORMAT = 2
_TABLES = (
    "nodes",
    "kids",
    "literal_pool",
    "leaf_first",
    "leaf_flags",
    "leaf_words",
    "range_low",
    "range_high",
    "range_target",
    "bounds",
)


def save_grammar(grammar: CompiledGrammar, path: Path) -> None:
    """Write a compiled grammar; parts not yet visited are built first.

    Raises: OSError if the file cannot be written; GrammarTooLarge or GrammarTimeout if building all parts exceeds the
        grammar's limits.
    """
    builder, root = grammar.built()
    about = {
        "format": _FORMAT,
        "root": root,
        "vocabulary": grammar.vocabulary.digest,
        "limits": asdict(builder.budget.limits),
        "spec": _encode_spec(grammar.spec),
        "members": [asdict(solver.spec) for solver in builder.members_solvers],
        "witnesses": [None if text is None else text.hex() for text in builder.rule_witness],
    }
    arrays: dict[str, npt.NDArray[Any]] = {name: np.array(getattr(builder, name), np.int32) for name in _TABLES}
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    if not write_arrays(path, arrays):
        raise OSError(f"cannot write {path}")


def load_grammar(path: Path, vocabulary: Vocabulary) -> CompiledGrammar:
    """Read a grammar that `save_grammar` wrote.

    Raises: OSError if the file cannot be read; ConfigError if it is no such file, or was made for another vocabulary.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            about = json.loads(stored["about"].tobytes())
            tables = {name: stored[name].tolist() for name in _TABLES}
    except (ValueError, KeyError) as error:
        raise ConfigError("not a stored grammar", field=str(path)) from error
    if about["format"] != _FORMAT:
        raise ConfigError(f"stored in format {about['format']}, this version reads {_FORMAT}", field=str(path))
    if about["vocabulary"] != vocabulary.digest:
        raise ConfigError("stored for another vocabulary", field=str(path))
    builder = Builder(Limits(**about["limits"]))
    builder.budget.add_states(len(tables["nodes"]) // NODE_COLUMNS + len(tables["leaf_flags"]))
    for name, table in tables.items():
        getattr(builder, name)[:] = array("i", table) if isinstance(getattr(builder, name), array) else table
    builder.members_solvers = [MembersSolver(_members(raw), builder.never) for raw in about["members"]]
    builder.rule_witness = [None if text is None else bytes.fromhex(text) for text in about["witnesses"]]
    builder.rule_makers = [None] * len(builder.rule_witness)
    return CompiledGrammar(_decode_spec(about["spec"]), vocabulary, builder, Node(about["root"]))


def _members(raw: dict[str, Any]) -> MembersSpec:
    return MembersSpec(
        **{
            **raw,
            "declared": tuple(Member(**one) for one in raw["declared"]),
            "extras": tuple(Extra(**one) for one in raw["extras"]),
            "clauses": tuple(Clause(tuple(one["when"]), tuple(one["then"])) for one in raw["clauses"]),
        }
    )


def _encode_spec(value: Any) -> Any:
    if is_dataclass(value):
        return {
            "type": type(value).__name__,
            **{one.name: _encode_spec(getattr(value, one.name)) for one in fields(value)},
        }
    if isinstance(value, tuple):
        return [_encode_spec(part) for part in value]
    return value


def _decode_spec(value: Any) -> Any:
    if isinstance(value, dict):
        arguments = {name: _decode_spec(part) for name, part in value.items() if name != "type"}
        return getattr(spec_module, value["type"])(**arguments)
    if isinstance(value, list):
        return tuple(_decode_spec(part) for part in value)
    return value
