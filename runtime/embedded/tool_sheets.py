"""The tools of `material/tools.txt`, each with its parameters and the requests that call it.

    @ rent_car | Rent a car|Car rental
    city/location:city, days/number_of_days:n?, car_class=compact|van?
    I need a <{car_class} |>car in {city}< for {days} days|>.

The second line declares the parameters: the names that each may have, its kind (see `kinds.py`) or its options, and `?` where
it is optional. The lines below are requests, in the form of `scenes.py`; what a wording leaves out is not passed.
"""

import functools
import re

from slipform.runtime.embedded import values as v
from slipform.runtime.embedded.kinds import kind_named
from slipform.runtime.embedded.scenes import MATERIAL, descriptions, names_of
from slipform.runtime.embedded.source import Source, Value
from slipform.runtime.embedded.tool_parts import Parameter, Tool

PARAMETER_TYPES = {"amount": "number", "email": "string"}


def money(s: Source) -> Value:
    """An amount with or without its currency."""
    value = v.amount(s, s.pick(("EUR", "USD", "USD", "GBP")))
    return value if s.chance(0.6) else Value(str(value.json), value.json)


def parse_parameter(text: str) -> Parameter:
    """One parameter from `names:kind` or `names=option|option`, `?` behind it where it is optional."""
    text = text.strip().removesuffix("?")
    if "=" in text:
        keys, _, listed = text.partition("=")
        called, options = tuple(keys.split("/")), tuple(listed.split("|"))
        about = descriptions(called)
        return Parameter(called[0], called, about, "string", lambda s: v.plain(s.pick(options)), (), options)
    keys, _, kind_name = text.partition(":")
    kind = kind_named(kind_name)
    names = keys.split("/")
    type_ = PARAMETER_TYPES.get(kind.type, kind.type)
    about = descriptions(names)
    if type_ == "date":
        about += (f"{names[0].replace('_', ' ')} (YYYY-MM-DD)", "ISO date")
    if type_ == "time":
        about += (f"{names[0].replace('_', ' ')} (HH:MM)", "24-hour time")
    return Parameter(names[0], names_of(names, kind), about, type_, kind.draw or money, ())


def parse_tool(paragraph: str) -> Tool:
    """A tool from its paragraph. Raises ValueError where a request names an unknown parameter."""
    head, declared, *requests = paragraph.strip("\n").split("\n")
    name, *about = (part.strip() for part in head.split("|"))
    parts = [part for part in declared.split(",") if part.strip()]
    parameters = tuple(parse_parameter(part) for part in sorted(parts, key=lambda part: part.strip().endswith("?")))
    required = sum(not part.strip().endswith("?") for part in parts)
    requests = [request.strip() for request in requests if request.strip()]
    unknown = {slot for request in requests for slot in re.findall(r"\{(\w+)\}", request)} - {
        p.kind for p in parameters
    }
    if unknown or not requests:
        raise ValueError(f"{name}: {sorted(unknown) or 'no requests'}")
    return Tool(name, tuple(about), parameters, required, tuple(requests))


@functools.cache
def sheet_tools() -> tuple[Tool, ...]:
    paragraphs = re.split(r"^@ ", (MATERIAL / "tools.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return tuple(parse_tool(paragraph) for paragraph in paragraphs if paragraph.strip())
