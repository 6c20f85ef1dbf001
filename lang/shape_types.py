"""Shapes of everyday values: each is written as its standard says, in its most common form."""

from typing import Final

from slipform.grammars.spec import Choice, Regex
from slipform.lang.shape import Shape

# A label of a host name (RFC 1123): letters, digits, hyphens inside.
_LABEL: Final = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DOMAIN: Final = rf"(?:{_LABEL}\.){{1,8}}[a-zA-Z]{{2,24}}"
_ATOM: Final = r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+"

_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_GROUP: Final = "[0-9a-f]{1,4}"

# Years 0001 to 9999, and those of them with a 29th of February.
_YEAR: Final = "(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})"
_LEAP: Final = "(?:0[48]|[2468][048]|[13579][26])"
_LEAP_YEAR: Final = f"(?:[0-9]{{2}}{_LEAP}|{_LEAP}00)"
_LONG_MONTH: Final = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
_SHORT_MONTH: Final = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
_FEBRUARY: Final = "02-(?:0[1-9]|1[0-9]|2[0-8])"
_DATE: Final = f"(?:{_YEAR}-(?:{_LONG_MONTH}|{_SHORT_MONTH}|{_FEBRUARY})|{_LEAP_YEAR}-02-29)"
_TIME: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_ZONE: Final = "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"

_PRERELEASE: Final = "(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"

# ISO 3166-1 alpha-2, the officially assigned codes.
_COUNTRIES: Final = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA "
    "CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA "
    "GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP "
    "KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS "
    "MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS "
    "RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW "
    "TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)
COUNTRIES: Final = tuple(_COUNTRIES.split())

# ISO 4217, the codes of currencies in circulation.
_CURRENCIES: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY "
    "COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR "
    "ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK "
    "MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF "
    "SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU "
    "UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
)
CURRENCIES: Final = tuple(_CURRENCIES.split())


def _ipv6() -> str:
    """RFC 4291 in lower case: eight groups, or fewer around one `::` that stands for two or more."""
    forms = [rf"(?:{_GROUP}:){{7}}{_GROUP}"]
    for before in range(7):
        head = rf"(?:{_GROUP}:){{{before - 1}}}{_GROUP}" if before else ""
        most = 6 - before
        tail = rf"(?:{_GROUP}(?::{_GROUP}){{0,{most - 1}}})?" if most else ""
        forms.append(f"{head}::{tail}")
    return f"(?:{'|'.join(forms)})"


email: Final = Shape(Regex(rf"{_ATOM}(?:\.{_ATOM})*@{_DOMAIN}"))
url: Final = Shape(
    Regex(
        rf"https?://{_DOMAIN}(?::[0-9]{{1,5}})?(?:/[a-zA-Z0-9._~%!$&'()*+,;=:@/-]*)?"
        r"(?:\?[a-zA-Z0-9._~%!$&'()*+,;=:@/?-]*)?(?:#[a-zA-Z0-9._~%!$&'()*+,;=:@/?-]*)?"
    )
)
uuid: Final = Shape(Regex("[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"))
ipv4: Final = Shape(Regex(rf"(?:{_OCTET}\.){{3}}{_OCTET}"))
ipv6: Final = Shape(Regex(_ipv6()))
mac_address: Final = Shape(Regex("(?:[0-9a-f]{2}:){5}[0-9a-f]{2}"))
iso_date: Final = Shape(Regex(_DATE))
iso_time: Final = Shape(Regex(_TIME))
iso_datetime: Final = Shape(Regex(rf"{_DATE}T{_TIME}(?:\.[0-9]{{1,6}})?{_ZONE}"))
semver: Final = Shape(
    Regex(
        r"(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)"
        rf"(?:-{_PRERELEASE}(?:\.{_PRERELEASE})*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
    )
)
phone: Final = Shape(Regex(r"\+[1-9][0-9]{6,14}"))
"""International form (E.164): a plus sign and up to fifteen digits, no blanks."""
country: Final = Shape(Choice(COUNTRIES))
currency: Final = Shape(Choice(CURRENCIES))
hex_color: Final = Shape(Regex("#(?:[0-9a-f]{6}|[0-9a-f]{3})"))
slug: Final = Shape(Regex("[a-z0-9]+(?:-[a-z0-9]+)*"))
integer: Final = Shape(Regex("-?(?:0|[1-9][0-9]*)"))
number: Final = Shape(Regex(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"))
word: Final = Shape(Regex(r"[^\W\d_]+(?:['’-][^\W\d_]+)*"))
sentence: Final = Shape(Regex(r"[A-Z][^.!?\n]*[.!?]"))
line: Final = Shape(Regex(r"[^\n]+"))
