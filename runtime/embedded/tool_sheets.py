"""The tools of `material/tools*.txt`, each with its parameters and the requests that call it.

    == car rental | find_carpool taxis

    @ rent_car | Rent a car|Car rental
    city/location:city, days/number_of_days:n?, car_class=compact(small;tiny)|van?, insured=true(with insurance)|false(uninsured)?
    I need a <{car_class} |>car in {city}< for {days} days|><, {insured}|>.

The line below a tool's name and descriptions declares its parameters: the names that each may have, its kind (see `kinds.py`)
or its options, each with words of a request that mean it, and `?` where it is optional. The lines below are requests, in the
form of `scenes.py`; what a wording leaves out is not passed.

`[city where the car is fetched; pick-up location]` behind a kind or the options describes the parameter in place of its names.

`==` opens a section: rivals, which are offered together because each request for one of them means none of the others. Behind
the bar stand tools and sections that a request of this section could mean, too. Tools before the first section are kept
apart by `tool_rivals.py`.
"""

import functools
import re
from collections import Counter

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
    """One parameter from `names:kind` or `names=option|option`, `[descriptions]` and `?`, where it is optional, behind it."""
    text, _, described = text.strip().removesuffix("?").partition("[")
    written = tuple(part.strip() for part in described.removesuffix("]").split(";") if part.strip())
    if "=" in text:
        keys, _, listed = text.partition("=")
        return choice(tuple(keys.split("/")), listed, written)
    keys, _, kind_name = text.partition(":")
    kind = kind_named(kind_name)
    names = keys.split("/")
    type_ = PARAMETER_TYPES.get(kind.type, kind.type)
    about = written or descriptions(names)
    if type_ == "date":
        about += (f"{about[0]} (YYYY-MM-DD)",) if written else (f"{about[0]} (YYYY-MM-DD)", "ISO date")
    if type_ == "time":
        about += (f"{about[0]} (HH:MM)",) if written else (f"{about[0]} (HH:MM)", "24-hour time")
    return Parameter(names[0], names_of(names, kind), about, type_, kind.draw or money, ())


def choice(names: tuple[str, ...], listed: str, written: tuple[str, ...] = ()) -> Parameter:
    """A parameter from its `option(words;other words)|option`; true and false alone make it a boolean."""
    values: list[Value] = []
    options: list[str] = []
    for part in listed.split("|"):
        option, _, words = part.strip().partition("(")
        options.append(option)
        values += [Value(surface.strip(), option) for surface in (words.removesuffix(")") or option).split(";")]
    surfaces = tuple(value.surface for value in values)
    about = written or descriptions(names)
    if set(options) <= {"true", "false"}:
        values = [Value(value.surface, value.json == "true") for value in values]
        about = written or about + tuple(f"whether {name.replace('_', ' ')}" for name in names)
        return Parameter(names[0], names, about, "boolean", lambda s: s.pick(values), (), (), surfaces)
    return Parameter(names[0], names, about, "string", lambda s: s.pick(values), (), tuple(options), surfaces)


def parse_tool(paragraph: str, section: str = "", apart: frozenset[str] = frozenset()) -> Tool:
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
    return Tool(name, tuple(about), parameters, required, tuple(requests), section=section, apart=apart)


def parse_sheet(text: str) -> list[Tool]:
    """The tools of one file. Raises ValueError where a tool or a section breaks the form."""
    before, *sections = re.split(r"^== ", text, flags=re.MULTILINE)
    found = [parse_tool(paragraph) for paragraph in paragraphs_of(before)]
    for block in sections:
        head, _, body = block.partition("\n")
        section, _, apart = head.partition("|")
        found += [parse_tool(part, section.strip(), frozenset(apart.split())) for part in paragraphs_of(body)]
    return found


def paragraphs_of(text: str) -> list[str]:
    return [part for part in re.split(r"^@ ", text, flags=re.MULTILINE) if part.strip()]


@functools.cache
def sheet_tools() -> tuple[Tool, ...]:
    """All tools of the material. Raises ValueError where two have one name."""
    files = sorted(MATERIAL.glob("tools*.txt"))
    found = tuple(tool for file in files for tool in parse_sheet(file.read_text(encoding="utf-8")))
    if twice := [name for name, count in Counter(tool.name for tool in found).items() if count > 1]:
        raise ValueError(f"tools of one name: {', '.join(twice)}")
    return found


@functools.cache
def rivals_of(section: str) -> tuple[Tool, ...]:
    """The tools of a section."""
    return tuple(tool for tool in sheet_tools() if tool.section == section)
