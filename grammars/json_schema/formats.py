"""The formats that are enforced, as patterns over whole texts; any other format is an annotation.

Where a standard leaves room, the patterns take the narrow reading: a text they admit is valid by every checker we know.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from slipform.grammars.dfa import Dfa
from slipform.grammars.regex import regex_dfa


@dataclass(frozen=True, slots=True)
class Format:
    """One format: what it follows, what it leaves out, and its pattern. `rare`: asserted only with `formats="all"`."""

    standard: str
    pattern: str
    limits: str = ""
    rare: bool = False


_MONTH_30, _MONTH_31 = "(?:0[469]|11)", "(?:0[13578]|1[02])"
_LEAP_YEAR = "(?:[0-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"  # 0001 to 9999
_DATE = (
    rf"(?:{_YEAR}-(?:{_MONTH_31}-(?:0[1-9]|[12][0-9]|3[01])|{_MONTH_30}-(?:0[1-9]|[12][0-9]|30)"
    rf"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)"
)
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"

_TIME_PART = "T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)"
_DATE_PART = "(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)"
_DURATION = f"P(?:{_DATE_PART}(?:{_TIME_PART})?|{_TIME_PART}|[0-9]+W)"

_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
_H16 = "[0-9A-Fa-f]{1,4}"
_LS32 = f"(?:{_H16}:{_H16}|{_IPV4})"
_IPV6 = (
    f"(?:(?:{_H16}:){{6}}{_LS32}|::(?:{_H16}:){{5}}{_LS32}|(?:{_H16})?::(?:{_H16}:){{4}}{_LS32}"
    f"|(?:(?:{_H16}:){{0,1}}{_H16})?::(?:{_H16}:){{3}}{_LS32}|(?:(?:{_H16}:){{0,2}}{_H16})?::(?:{_H16}:){{2}}{_LS32}"
    f"|(?:(?:{_H16}:){{0,3}}{_H16})?::{_H16}:{_LS32}|(?:(?:{_H16}:){{0,4}}{_H16})?::{_LS32}"
    f"|(?:(?:{_H16}:){{0,5}}{_H16})?::{_H16}|(?:(?:{_H16}:){{0,6}}{_H16})?::)"
)

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_SHORT_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,29}[A-Za-z0-9])?"
# At most 253 characters in all: three labels of any legal length, or eight of at most 31.
_HOSTNAME = rf"(?:(?:{_LABEL}\.){{0,2}}{_LABEL}|(?:{_SHORT_LABEL}\.){{0,6}}{_SHORT_LABEL})"

_ATEXT = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_MAIL_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
_EMAIL = rf"(?:{_ATEXT}+(?:\.{_ATEXT}+)*|{_QUOTED})@(?:{_MAIL_LABEL}(?:\.{_MAIL_LABEL})*|\[{_IPV4}\])"
_WIDE = r"\u00A0-\uD7FF\uF900-\uFDCF\uFDF0-\uFFEF"
_WIDE_ATEXT = f"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~{_WIDE}-]"
_WIDE_LABEL = f"[A-Za-z0-9{_WIDE}](?:[A-Za-z0-9{_WIDE}-]*[A-Za-z0-9{_WIDE}])?"
_IDN_EMAIL = rf"(?:{_WIDE_ATEXT}+(?:\.{_WIDE_ATEXT}+)*|{_QUOTED})@(?:{_WIDE_LABEL}(?:\.{_WIDE_LABEL})*|\[{_IPV4}\])"


def _uri(wide: str, *, reference: bool) -> str:
    """RFC 3986, or RFC 3987 with `wide` characters, as one pattern."""
    unreserved = rf"A-Za-z0-9._~{wide}"
    escaped = "%[0-9A-Fa-f]{2}"
    pchar = rf"(?:[{unreserved}!$&'()*+,;=:@-]|{escaped})"
    no_colon = rf"(?:[{unreserved}!$&'()*+,;=@-]|{escaped})"
    host = rf"(?:\[{_IPV6}\]|(?:[{unreserved}!$&'()*+,;=-]|{escaped})*)"
    user = rf"(?:(?:[{unreserved}!$&'()*+,;=:-]|{escaped})*@)?"
    authority = rf"//{user}{host}(?::[0-9]*)?(?:/{pchar}*)*"
    absolute = rf"/(?:{pchar}+(?:/{pchar}*)*)?"
    rootless = rf"{pchar}+(?:/{pchar}*)*"
    tail = rf"(?:\?(?:{pchar}|[/?])*)?(?:#(?:{pchar}|[/?])*)?"
    uri = rf"[A-Za-z][A-Za-z0-9+.-]*:(?:{authority}|{absolute}|{rootless})?{tail}"
    if not reference:
        return uri
    return rf"(?:{uri}|(?:{authority}|{absolute}|{no_colon}+(?:/{pchar}*)*)?{tail})"


_POINTER = "(?:/(?:[^~/]|~[01])*)*"

_VARIABLE = r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*(?:\*|:[1-9][0-9]{0,2})?"
_URI_TEMPLATE = rf"(?:[!#$&(-;=?-\[\]_a-z~{_WIDE}]|%[0-9A-Fa-f]{{2}}|\{{[+#./;?&]?{_VARIABLE}(?:,{_VARIABLE})*\}})*"

# Letters that IDNA 2008 permits anywhere in a label: lower-case Latin, Greek and Cyrillic, kana, Han and Hangul.
_IDN_LETTER = "a-z0-9ß-öø-ÿα-ωа-яぁ-ゔァ-ヺ一-鿋가-힣"
_IDN_LABEL = f"[{_IDN_LETTER}](?:[{_IDN_LETTER}]{{0,12}}|[{_IDN_LETTER}]{{1,6}}-[{_IDN_LETTER}]{{1,6}})"

# A regex of one group level; ranges among digits and letters, so that both dialects in use read it.
_REGEX_MARK = r"(?:[\^$|]|\\[bB])"
_REGEX_ESCAPE = r"\\[dDwWsSnrtfv.*+?^${}()|\[\]/\\-]"
_REGEX_CLASS_ITEM = r"(?:0-9|a-z|A-Z|a-f|A-F|[A-Za-z0-9_ .,:;!@#%/'\"<>=*+?$(){}|]|\\[dDwWsSnrtfv.*+?^${}()|\[\]/\\-])"
_REGEX_ATOM = rf"(?:[^\\.*+?^${{}}()|\[\]\u0000-\u001f\u007f]|\.|{_REGEX_ESCAPE}|\[\^?{_REGEX_CLASS_ITEM}+-?\])"
_REGEX_QUANTIFIER = r"(?:[*+?]\??|\{[0-9]\}\??|\{[0-9],\}\??|\{0,[1-9][0-9]?\}\??)?"
_REGEX_FLAT = rf"(?:{_REGEX_ATOM}{_REGEX_QUANTIFIER}|{_REGEX_MARK})*"
_REGEX_GROUP = (
    rf"\((?:\?:)?(?:{_REGEX_ATOM}{_REGEX_QUANTIFIER}|{_REGEX_MARK}|\((?:\?:)?{_REGEX_FLAT}\){_REGEX_QUANTIFIER})*\)"
)
_REGEX = rf"(?:{_REGEX_ATOM}{_REGEX_QUANTIFIER}|{_REGEX_MARK}|{_REGEX_GROUP}{_REGEX_QUANTIFIER})*"

FORMATS: Final = {
    "date": Format("RFC 3339 full-date, leap years included", _DATE, "years 0001 to 9999"),
    "time": Format("RFC 3339 full-time", _TIME, "no leap seconds"),
    "date-time": Format("RFC 3339 date-time", f"{_DATE}[Tt]{_TIME}", "no leap seconds"),
    "duration": Format("RFC 3339 appendix A", _DURATION),
    "email": Format("RFC 5321 mailbox", _EMAIL, "no IPv6 literals"),
    "idn-email": Format("RFC 6531 mailbox", _IDN_EMAIL, "no IPv6 literals"),
    "hostname": Format(
        "RFC 1123, labels of at most 63 characters", _HOSTNAME, "three labels, or seven of at most 31 characters"
    ),
    "idn-hostname": Format(
        "RFC 5890",
        rf"(?:{_IDN_LABEL}\.){{0,3}}{_IDN_LABEL}",
        "four labels of at most 14 lower-case letters of Latin, Greek, Cyrillic, kana, Han and Hangul, or digits",
        rare=True,
    ),
    "ipv4": Format("RFC 2673 dotted quad", _IPV4),
    "ipv6": Format("RFC 4291", _IPV6, "no zone"),
    "uuid": Format("RFC 4122", "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
    "uri": Format("RFC 3986", _uri("", reference=False), "no IPvFuture"),
    "uri-reference": Format("RFC 3986", _uri("", reference=True), "no IPvFuture"),
    "uri-template": Format("RFC 6570", _URI_TEMPLATE, "names of letters, digits and underscores", rare=True),
    "iri": Format("RFC 3987", _uri(_WIDE, reference=False), "characters of the basic plane; no IPvFuture"),
    "iri-reference": Format(
        "RFC 3987", _uri(_WIDE, reference=True), "characters of the basic plane; no IPvFuture", rare=True
    ),
    "json-pointer": Format("RFC 6901", _POINTER),
    "relative-json-pointer": Format(
        "RFC 6901's sequel", f"(?:0|[1-9]+0?)(?:#|{_POINTER})", "no index shifts, no inner 0", rare=True
    ),
    "regex": Format("ECMA-262", _REGEX, "groups nest two deep; ranges of letters and digits"),
}


@cache
def format_dfa(name: str) -> Dfa:
    """The texts of a format; decoded, without quotes."""
    return regex_dfa(FORMATS[name].pattern, flavour="ecma")
