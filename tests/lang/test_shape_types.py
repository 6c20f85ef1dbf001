"""Prebuilt shapes against the readers of Python's standard library and Pydantic."""

import datetime
import ipaddress
import re
import uuid
from collections.abc import Callable
from typing import Any

import pydantic
import pytest

from slipform import shapes
from slipform.lang.shape import Shape
from slipform.lang.shape_types import COUNTRIES, CURRENCIES

ANY_URL = pydantic.TypeAdapter(pydantic.HttpUrl)

READERS: list[tuple[Shape, Callable[[str], Any]]] = [
    (shapes.url, ANY_URL.validate_python),
    (shapes.uuid, uuid.UUID),
    (shapes.ipv4, ipaddress.IPv4Address),
    (shapes.ipv6, ipaddress.IPv6Address),
    (shapes.iso_date, datetime.date.fromisoformat),
    (shapes.iso_time, datetime.time.fromisoformat),
    (shapes.iso_datetime, datetime.datetime.fromisoformat),
    (shapes.integer, int),
    (shapes.number, float),
]


@pytest.mark.parametrize(("shape", "read"), READERS)
def test_whatever_is_drawn_can_be_read(shape: Shape, read: Callable[[str], Any]) -> None:
    for seed in range(40):
        read(shape.sample(seed, max_chars=60))


def is_read(read: Callable[[str], Any], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def test_every_date_of_some_centuries_and_no_other() -> None:
    pattern = re.compile(shapes.iso_date.pattern)
    for year in (*range(1, 9), 96, 100, 400, *range(1896, 1906), 2000, 2023, 2024, 2100, 2400, 9999):
        for month in range(14):
            for day in range(34):
                text = f"{year:04}-{month:02}-{day:02}"
                right = is_read(datetime.date.fromisoformat, text)
                assert (pattern.fullmatch(text) is not None) == right, text
    assert pattern.fullmatch("0000-02-29") is None


@pytest.mark.parametrize(
    "text",
    [
        "::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6::", "::3:4:5:6:7:8", "1::8", "1:2::7:8", "1:2:3:4:5:6:7",
        "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", ":::", "", "1:", "fe80::a1", "g::",
    ],
)  # fmt: skip
def test_ipv6_addresses(text: str) -> None:
    assert (shapes.ipv6.match(text) is not None) == is_read(ipaddress.IPv6Address, text)


@pytest.mark.parametrize(
    "text", ["0.0.0.0", "255.255.255.255", "256.1.1.1", "1.2.3", "01.2.3.4", "1.2.3.4.5", "1.2.3.04"]
)
def test_ipv4_addresses(text: str) -> None:
    assert (shapes.ipv4.match(text) is not None) == is_read(ipaddress.IPv4Address, text)


@pytest.mark.parametrize(
    ("shape", "right", "wrong"),
    [
        (
            shapes.email,
            ["a@b.org", "a.b+c@sub.example.co.uk"],
            ["a@b", ".a@b.org", "a..b@c.org", "a@-b.org", "a b@c.org"],
        ),
        (shapes.url, ["http://a.org", "https://a.b.org:80/x/y?q=1#z"], ["a.org", "ftp://a.org", "http://a b.org"]),
        (
            shapes.semver,
            ["0.0.4", "1.0.0-alpha.1", "1.0.0-0A.is.legal", "1.1.2+meta-valid", "1.2.3-SNAPSHOT-123+b.7"],
            ["1", "1.2", "01.1.1", "1.2.3-0123", "1.2.3-0123.0123", "1.1.2+.123", "alpha", "1.0.0-"],
        ),
        (shapes.phone, ["+14155552671", "+4930901820"], ["14155552671", "+04155552671", "+1415555267112345", "+1 415"]),
        (shapes.mac_address, ["00:1a:2b:3c:4d:5e"], ["00:1a:2b:3c:4d", "00-1a-2b-3c-4d-5e"]),
        (shapes.hex_color, ["#fff", "#a1b2c3"], ["#ffff", "fff", "#ggg"]),
        (shapes.slug, ["a-slug-1"], ["A", "-a", "a--b", "a-"]),
        (shapes.word, ["don't", "Ärger", "x"], ["two words", "x1", ""]),
        (shapes.sentence, ["It is so.", "Why?"], ["it is.", "It is", "A. B."]),
        (shapes.line, ["one line"], ["two\nlines", ""]),
        (shapes.integer, ["0", "-12"], ["-", "01", "1.5", "+1"]),
    ],
)
def test_examples(shape: Shape, right: list[str], wrong: list[str]) -> None:
    assert [text for text in right if shape.match(text) is None] == []
    assert [text for text in wrong if shape.match(text) is not None] == []


def test_codes_are_complete_and_sorted() -> None:
    assert len(COUNTRIES) == 249  # officially assigned codes of ISO 3166-1
    for codes, length in ((COUNTRIES, 2), (CURRENCIES, 3)):
        assert list(codes) == sorted(set(codes))
        assert all(len(code) == length and code.isupper() for code in codes)
    assert shapes.country.match("DE")
    assert shapes.currency.match("EUR")
    assert shapes.country.match("XX") is None
