"""The constraint of a request within the server's bounds of size and nesting."""

from collections.abc import Mapping
from typing import Any

import msgspec

from slipform.grammars.spec import GrammarSpec, JsonSchema
from slipform.runtime.server.bodies import is_deeper
from slipform.runtime.server.dialects.constraint import Constraint
from slipform.runtime.server.dialects.read import constraint_of
from slipform.runtime.server.http_errors import bad_request
from slipform.runtime.server.settings import Bounds
from slipform.runtime.wire import spec_to_plain


def bounded_constraint(fields: Mapping[str, Any] | None, bounds: Bounds) -> Constraint | None:
    """The constraint among `fields`, if any. Raises: ApiError 400 naming its field, also if it exceeds a bound."""
    constraint = constraint_of(fields or {})
    if constraint is not None:
        check_spec(constraint.spec, bounds, constraint.field)
    return constraint


def check_spec(spec: GrammarSpec, bounds: Bounds, field: str) -> None:
    """Raises: ApiError 400 naming `field` if the constraint is larger, or a schema is nested deeper, than allowed."""
    if len(msgspec.json.encode(spec_to_plain(spec))) > bounds.schema_bytes:
        raise bad_request(f"is larger than {bounds.schema_bytes} bytes", field, "grammar_too_large")
    if isinstance(spec, JsonSchema):
        try:
            is_too_deep = is_deeper(msgspec.json.decode(spec.schema), bounds.schema_depth)
        except RecursionError:
            is_too_deep = True
        except msgspec.DecodeError:
            is_too_deep = False  # the compiler says what is wrong with it
        if is_too_deep:
            raise bad_request(f"is nested more than {bounds.schema_depth} levels deep", field, "grammar_too_large")
