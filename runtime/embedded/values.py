"""Values of every kind, each with a surface (how a passage writes it) and the JSON that an extraction should give."""

import datetime
from collections.abc import Callable

from slipform.runtime.embedded import lexicon
from slipform.runtime.embedded.source import Source, Value

Draw = Callable[[Source], Value]
# Share of values that come from no list, so that lists are not learnt by heart.
FREE_SHARE = 0.2


def plain(text: str) -> Value:
    return Value(text, text)


def pseudo_word(s: Source) -> str:
    """A pronounceable word that no list holds, so that copying cannot lean on memory."""
    if s.chance(0.45):
        return "".join(s.pick(lexicon.MORPHEMES) for _ in range(s.pick((1, 2, 2, 2, 3))))
    if s.chance(0.06):
        return "".join(s.pick("abcdefghijklmnopqrstuvwxyzäöüéèñçşłøå") for _ in range(s.integer(3, 9)))
    parts = []
    for _ in range(s.integer(2, 3)):
        parts.append(s.pick(lexicon.SYLLABLE_ONSETS) + s.pick(lexicon.SYLLABLE_VOWELS) + s.pick(lexicon.SYLLABLE_CODAS))
    return "".join(parts)


def free_noun(s: Source) -> str:
    """A common noun, or a word that no list holds."""
    return pseudo_word(s) if s.chance(0.15) else s.pick(lexicon.COMMON_NOUNS)


def free_phrase(s: Source) -> str:
    """A few words that no list holds as a whole."""
    adjective, noun, other = s.pick(lexicon.COMMON_ADJECTIVES), free_noun(s), free_noun(s)
    return s.pick(
        (
            f"{adjective} {noun}",
            f"{noun} {other}",
            f"{adjective} {noun} {other}",
            f"the {noun}",
            f"the {adjective} {noun}",
            f"{noun} and {other}",
            f"{noun} for {other}",
            f"the {noun} of the {other}",
            f"{adjective} {noun} with {other}",
            noun,
        )
    )


def topic(s: Source) -> Value:
    """What a meeting or a mail is about."""
    return plain(free_phrase(s) if s.chance(0.6) else s.entity(lexicon.TOPICS))


def task(s: Source) -> Value:
    """Something to do, from its verb on."""
    if s.chance(0.35):
        return plain(s.entity(lexicon.TASKS))
    verb = s.pick(lexicon.COMMON_VERBS)
    tail = s.pick(
        ("", "", "", " again", f" for {first_name(s)}", f" with {first_name(s)}", " properly", f" in {city(s).surface}")
    )
    return plain(
        f"{verb} {s.pick(('the', 'the', 'a', 'all', 'our', 'two'))} {s.pick(lexicon.COMMON_ADJECTIVES)} {free_noun(s)}{tail}".replace(
            "  ", " "
        )
    )


def title(s: Source) -> Value:
    """A name in title case: a song, a book, an event."""
    return plain(free_phrase(s).title())


def sentence(s: Source) -> Value:
    """A short sentence, as in a text message."""
    a, b = free_phrase(s), free_phrase(s)
    return plain(
        s.pick(
            (
                f"don't forget the {free_noun(s)}",
                f"{a} is here",
                f"where is {a}?",
                f"I will bring {a}",
                f"we need {a}",
                f"please {task(s).surface}",
                f"I like {a}",
                f"see you in {city(s).surface}",
                f"{first_name(s)} has {a}",
                f"{a}, not {b}",
                f"the {free_noun(s)} is {s.pick(lexicon.COMMON_ADJECTIVES)}",
                f"call me about {a}",
                f"thanks for {a}",
                f"I am {s.integer(5, 50)} minutes late",
                a,
            )
        )
    )


def first_name(s: Source) -> str:
    return pseudo_word(s).capitalize() if s.chance(0.15) else s.entity(lexicon.FIRST_NAMES)


def last_name(s: Source) -> str:
    name = pseudo_word(s).capitalize() if s.chance(0.3) else s.entity(lexicon.LAST_NAMES)
    if s.chance(0.05):
        return s.pick(("de", "van", "von", "di", "de la", "van der", "al", "ter", "da", "le", "O", "zu")) + f" {name}"
    return f"{name}-{s.entity(lexicon.LAST_NAMES)}" if s.chance(0.03) else name


def person(s: Source) -> Value:
    first, last = first_name(s), last_name(s)
    form = s.random.random()
    if form < 0.72:
        return plain(f"{first} {last}")
    if form < 0.76:
        return plain(f"{first[0]}. {last}")
    if form < 0.79:
        return plain(f"{first} {first_name(s)} {last}")
    if form < 0.81:
        return plain(f"{first}-{first_name(s)} {last}")
    if form < 0.83:
        return plain(f"{s.pick(('Mr', 'Mrs', 'Ms', 'Dr', 'Dr.', 'Prof.', 'Frau', 'Sir'))} {first} {last}")
    if form < 0.85:
        return plain(f"{last}, {first}")
    if form < 0.90:
        return plain(f"{first} {s.pick('ABCDEFGHJKLMNPRSTW')}. {last}")
    if form < 0.95:
        return plain(
            f"{s.pick(('Dr.', 'Dr', 'Mr', 'Mr.', 'Ms', 'Mrs', 'Mrs.', 'Ms.', 'Prof.', 'Miss', 'Herr', 'Sr.'))} {last}"
        )
    return plain(first)


def doctor(s: Source) -> Value:
    return plain(f"Dr. {last_name(s)}" if s.chance(0.7) else f"Dr. {first_name(s)} {last_name(s)}")


def given_name(s: Source) -> Value:
    return plain(first_name(s))


def ascii_letters(text: str) -> str:
    """The letters and digits of `text` in lower case, accents dropped, other scripts left out."""
    table = str.maketrans(
        "áàâäãåçéèêëíìîïñóòôöõøúùûüýžšřčďťňłśćźżąęığşőű", "aaaaaaceeeeiiiinoooooouuuuyzsrcdtnlsczzaeigsou"
    )
    return "".join(c for c in text.lower().translate(table) if c.isascii() and c.isalnum())


def email(s: Source) -> Value:
    first, last = ascii_letters(first_name(s)) or "info", ascii_letters(last_name(s)) or "office"
    local = s.pick(
        (
            f"{first}.{last}",
            f"{first}{last}",
            f"{first[0]}.{last}",
            f"{first}_{last}",
            f"{first}{s.integer(1, 99)}",
            f"{last}{s.integer(1950, 2009)}",
            s.pick(("info", "support", "sales", "office", "billing", "hello", "orders", "contact")),
        )
    )
    if s.chance(0.5):
        host = s.pick(lexicon.MAIL_HOSTS)
    else:
        host = (
            pseudo_word(s)
            if s.chance(0.5)
            else s.entity(lexicon.COMPANY_WORDS).lower() + s.pick(("", "-")) + s.pick(lexicon.COMPANY_NOUNS).lower()
        )
    return plain(f"{local}@{host}.{s.pick(lexicon.TLDS)}")


def digits(s: Source, count: int) -> str:
    return "".join(s.pick("0123456789") for _ in range(count))


def phone(s: Source) -> Value:

    def d(count: int) -> str:
        return digits(s, count)

    return plain(
        s.pick(
            (
                f"+{s.integer(1, 99)} {d(2)} {d(4)} {d(4)}",
                f"+{s.integer(30, 99)} {d(3)} {d(7)}",
                f"({d(3)}) {d(3)}-{d(4)}",
                f"{d(3)}-{d(3)}-{d(4)}",
                f"{d(3)}-{d(4)}",
                f"0{d(3)} {d(6)}",
                f"0{d(2)}/{d(7)}",
                f"+44 7{d(3)} {d(6)}",
                f"+1 {d(3)} {d(3)} {d(4)}",
                f"0{d(10)}",
                f"0{d(4)} {d(3)} {d(3)}",
                f"+49 {d(3)} {d(8)}",
                f"{d(3)} {d(2)} {d(2)} {d(2)}",
                f"{d(3)}.{d(3)}.{d(4)}",
            )
        )
    )


LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def letters(s: Source, count: int) -> str:
    return "".join(s.pick(LETTERS) for _ in range(count))


def code(s: Source, prefixes: tuple[str, ...] = ()) -> Value:
    """An identifier: order numbers, ticket ids, serial numbers in the shapes that companies use."""
    prefix = s.pick(prefixes) if prefixes and s.chance(0.6) else letters(s, s.integer(1, 4))
    year = str(s.integer(2019, 2029))
    if s.chance(0.06):
        number = digits(s, s.integer(3, 7))
        return Value(f"#{number}", number)
    if s.chance(0.05):
        number = digits(s, s.integer(10, 22))
        return plain(number)
    return plain(
        s.pick(
            (
                digits(s, s.integer(4, 9)),
                digits(s, s.integer(5, 8)),
                f"{prefix}-{digits(s, s.integer(3, 6))}",
                f"{prefix}-{year}-{digits(s, s.integer(2, 5))}",
                f"{prefix}{digits(s, s.integer(4, 8))}",
                f"{year}-{digits(s, 4)}",
                f"{prefix}/{year}/{digits(s, 3)}",
                f"{letters(s, 2)}{digits(s, 2)}{letters(s, 2)}{digits(s, 2)}",
                f"{prefix}_{digits(s, 4)}",
                f"{digits(s, 3)}-{digits(s, 7)}",
                f"{letters(s, 1)}{digits(s, 3)}-{letters(s, 2)}",
                f"{letters(s, 1).lower()}_{digits(s, s.integer(2, 5))}",
                "".join(s.pick("0123456789abcdef") for _ in range(s.integer(6, 12))),
                f"{digits(s, 2)}-{digits(s, 3)}-{digits(s, 1)}",
                f"{letters(s, 2)}/{digits(s, 4)}",
                f"{letters(s, 2)}-{digits(s, 4)}-{digits(s, 2)}",
            )
        )
    )


def code_like(*prefixes: str) -> Draw:
    return lambda s: code(s, prefixes)


def company(s: Source) -> Value:
    form = s.random.random()
    if s.chance(0.25):
        adjective, noun = s.pick(lexicon.COMMON_ADJECTIVES).capitalize(), s.pick(lexicon.COMMON_NOUNS).capitalize()
        house = s.pick(("Atelier", "Casa", "Café", "Studio", "Hotel", "Villa", "Chez", "Bistro", "Bakery", "Pension", "Garage", "Haus", "Librería"))  # fmt: skip
        name = s.pick((f"{adjective} {noun}s", f"The {adjective} {noun}", f"{noun} & Co", f"{house} {last_name(s)}", f"{last_name(s)} {noun}s", f"{last_name(s)} {pseudo_word(s).capitalize()}", f"{house} {pseudo_word(s).capitalize()}", f"{first_name(s)}'s {noun}s", f"{noun} and {s.pick(lexicon.COMMON_NOUNS).capitalize()}"))  # fmt: skip
        return plain(name)
    if form < 0.4:
        name = f"{s.entity(lexicon.COMPANY_WORDS)} {s.pick(lexicon.COMPANY_NOUNS)}"
    elif form < 0.6:
        name = s.entity(lexicon.COMPANY_WORDS) + s.entity(lexicon.COMPANY_WORDS).lower()
    elif form < 0.8:
        name = f"{last_name(s)} {s.pick(lexicon.COMPANY_NOUNS)}"
    elif form < 0.9:
        name = pseudo_word(s).capitalize()
    else:
        name = f"{last_name(s)} & {last_name(s)}"
    return plain(name + s.pick(lexicon.COMPANY_SUFFIXES))


def product(s: Source) -> Value:
    head = s.entity(lexicon.PRODUCT_HEADS)
    if s.chance(0.12):
        head = f"{pseudo_word(s)} {pseudo_word(s)}" if s.chance(0.5) else pseudo_word(s)
    if s.chance(0.15):
        noun, other = free_noun(s), free_noun(s)
        return plain(s.pick((f"{noun}s", f"{other} {noun}s", f"{s.pick(lexicon.COMMON_ADJECTIVES)} {noun}", f"{other} {noun}", f"{s.pick(lexicon.MATERIALS)} {noun}s", f"{first_name(s)}'s {noun}", f"{noun} {s.integer(2, 99)}", f"{noun} {s.integer(2019, 2030)}")))  # fmt: skip
    form = s.random.random()
    if form < 0.35:
        return plain(head)
    if form < 0.55:
        return plain(f"{s.pick(lexicon.COLORS)} {head}")
    if form < 0.75:
        return plain(f"{s.entity(lexicon.PRODUCT_BRANDS)} {head.title() if s.chance(0.5) else head}")
    if form < 0.80:
        return plain(f"{s.entity(lexicon.PRODUCT_BRANDS)} {letters(s, 1)}{s.integer(1, 990)}")
    if form < 0.84:
        return plain(f"{pseudo_word(s).capitalize()} {pseudo_word(s).capitalize()} {s.integer(1, 990)}")
    if form < 0.88:
        return plain(f"{s.pick(lexicon.MATERIALS)} {head}")
    return plain(f"{pseudo_word(s).capitalize()} {head}")


def brand(s: Source) -> Value:
    return plain(pseudo_word(s).capitalize() if s.chance(0.3) else s.entity(lexicon.PRODUCT_BRANDS))


def items(s: Source) -> Value:
    """A list of two to five things, in prose."""
    things = list(dict.fromkeys(str(product(s).json) for _ in range(s.pick((1, 2, 2, 3, 3, 4, 5)))))
    return Value(join_words(s, things), things)


def join_words(s: Source, words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    last = s.pick((" and ", " and ", " and ", ", and ", " & ", ", "))
    return ", ".join(words[:-1]) + last + words[-1]


def list_of(words: tuple[str, ...], low: int, high: int) -> Draw:
    def draw(s: Source) -> Value:
        wanted = range(s.integer(low, high))
        chosen = list(dict.fromkeys(free_noun(s) if s.chance(FREE_SHARE) else s.entity(words) for _ in wanted))
        return Value(join_words(s, chosen), chosen)

    return draw


def people(s: Source) -> Value:
    names = list(
        dict.fromkeys(
            first_name(s) if s.chance(0.4) else f"{first_name(s)} {last_name(s)}" for _ in range(s.integer(2, 5))
        )
    )
    return Value(join_words(s, names), names)


def one_of(words: tuple[str, ...]) -> Draw:
    return lambda s: plain(free_phrase(s) if s.chance(FREE_SHARE) else s.entity(words))


def city(s: Source) -> Value:
    name = pseudo_word(s).capitalize() if s.chance(0.25) else s.entity(lexicon.CITIES)
    if s.chance(0.05):
        name = f"{s.pick(('St', 'New', 'Bad', 'Port', 'San', 'East', 'Upper', 'Old', 'Mount', 'Fort'))} {name}"
    elif s.chance(0.04):
        name = f"{name} {s.pick(('Airport', 'North', 'Central', 'Heights', 'Junction', 'Harbour', 'Old Town'))}"
    return plain(name)


def country(s: Source) -> Value:
    return plain(s.entity(lexicon.COUNTRIES))


STREET_ENDINGS = ("Street", "Road", "Lane", "Rd", "St", "Walk", "Close", "Court", "Square", "Ave", "Drive", "Hill", "Row", "Way", "Place")  # fmt: skip


def street(s: Source) -> Value:
    name = s.entity(lexicon.STREETS)
    if s.chance(0.35):
        word = pseudo_word(s) if s.chance(0.5) else s.pick(lexicon.COMMON_NOUNS)
        name = f"{word.capitalize()} {s.pick(STREET_ENDINGS)}"
    number = f"{s.integer(1, 250)}{s.pick(('', '', '', '', 'a', 'B'))}"
    foreign = name.split(" ")[0] in ("Rue", "Via", "Calle", "ul.") or name.endswith(
        ("straße", "gatan", "weg", "straat")
    )
    return plain(f"{name} {number}" if foreign else f"{number} {name}")


def postcode(s: Source) -> Value:
    return plain(
        s.pick(
            (
                digits(s, 5),
                f"{letters(s, 2)}{s.integer(1, 20)} {s.integer(1, 9)}{letters(s, 2)}",
                f"{letters(s, 1)}{s.integer(1, 9)} {s.integer(1, 9)}{letters(s, 2)}",
                f"{digits(s, 2)}-{digits(s, 3)}",
                f"{digits(s, 4)} {letters(s, 2)}",
                digits(s, 4),
            )
        )
    )


def calendar_day(s: Source) -> datetime.date:
    return datetime.date(s.integer(2018, 2031), s.integer(1, 12), 1) + datetime.timedelta(days=s.integer(0, 30))


def ordinal(n: int) -> str:
    suffix = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{suffix}"


def write_date(s: Source, day: datetime.date) -> str:
    """One of the ways people write a full date. A slash puts the day first only where no other reading exists."""
    month, short = lexicon.MONTHS[day.month - 1], lexicon.MONTHS[day.month - 1][:3]
    name = lexicon.WEEKDAYS[day.weekday()]
    forms = [
        f"{day.day} {month} {day.year}",
        f"{day.day} {month} {day.year}",
        f"{month} {day.day}, {day.year}",
        f"{month} {day.day}, {day.year}",
        f"{ordinal(day.day)} {month} {day.year}",
        f"{month} {ordinal(day.day)}, {day.year}",
        f"{month} {day.day} {day.year}",
        f"the {ordinal(day.day)} of {month} {day.year}",
        f"{day.day} {short} {day.year}",
        f"{short} {day.day}, {day.year}",
        f"{day.day} {'Sept' if day.month == 9 else short} {day.year}",
        f"{short}. {day.day}, {day.year}",
        f"{day.day}-{short}-{day.year}",
        f"{name}, {day.day} {month} {day.year}",
        f"{name} {month} {day.day}, {day.year}",
        f"{name[:3]} {day.day} {short} {day.year}",
        f"{name[:3]}, {short} {day.day}, {day.year}",
        f"{month} {ordinal(day.day)} {day.year}",
        f"{name} {day.day} {month} {day.year}",
        f"{name} {ordinal(day.day)} {month} {day.year}",
        f"{day.day:02} {short} {day.year}",
        f"{day.day:02} {short.upper()} {day.year}",
        f"{day.day} {month}, {day.year}",
        f"{day.day:02}/{short}/{day.year}",
        f"{name[:3]} {day.day:02}.{day.month:02}.{day.year}",
        f"the {ordinal(day.day)} of {month}, {day.year}",
        day.isoformat(),
        day.isoformat(),
        f"{day.day:02}.{day.month:02}.{day.year}",
        f"{day.day}.{day.month}.{day.year}",
        f"{day.year}/{day.month:02}/{day.day:02}",
    ]
    if day.day > 12:
        forms += [f"{day.month:02}/{day.day:02}/{day.year}", f"{day.day:02}/{day.month:02}/{day.year}"]
    return s.pick(forms)


def date(s: Source) -> Value:
    day = calendar_day(s)
    return Value(write_date(s, day), day.isoformat())


def birth_date(s: Source) -> Value:
    day = datetime.date(s.integer(1930, 2015), s.integer(1, 12), s.integer(1, 28))
    return Value(write_date(s, day), day.isoformat())


def write_time(s: Source, hour: int, minute: int) -> str:
    half = "am" if hour < 12 else "pm"
    twelve = (hour - 1) % 12 + 1
    forms = [
        f"{hour:02}:{minute:02}",
        f"{hour}:{minute:02}",
        f"{twelve}:{minute:02} {half}",
        f"{twelve}:{minute:02}{half}",
    ]
    forms += [
        f"{twelve}.{minute:02} {half}",
        f"{twelve}.{minute:02}{half}",
        f"{twelve}:{minute:02} {half[0]}.m.",
        f"{twelve}:{minute:02} {half.upper()}",
    ]
    if minute == 0:
        forms += [
            f"{twelve} {half}",
            f"{twelve}{half}",
            f"{twelve} {half.upper()}",
            f"{twelve} o'clock {'in the morning' if hour < 12 else 'in the afternoon' if hour < 18 else 'in the evening'}",
        ]
        if hour == 12:
            forms += ["noon", "12 noon"]
    part = "in the morning" if hour < 12 else "in the afternoon" if hour < 18 else "in the evening"
    if minute == 30:
        forms += [f"half past {lexicon.NUMBER_WORDS[twelve]} {part}"]
    elif minute == 15:
        forms += [f"quarter past {lexicon.NUMBER_WORDS[twelve]} {part}"]
    elif minute == 45:
        forms += [f"quarter to {lexicon.NUMBER_WORDS[twelve % 12 + 1]} {part}"]
    return s.pick(forms)


def time(s: Source) -> Value:
    hour, minute = s.integer(7, 20), s.pick((0, 0, 15, 30, 45, 5, 10, 20, 25, 35, 40, 50, 55))
    return Value(write_time(s, hour, minute), f"{hour:02}:{minute:02}")


def count(low: int, high: int) -> Draw:
    def draw(s: Source) -> Value:
        n = s.integer(low, high)
        word = n <= 20 and s.chance(0.35)
        return Value(lexicon.NUMBER_WORDS[n] if word else str(n), n)

    return draw


def big_count(low: int, high: int) -> Draw:
    """An integer that a passage may write with a thousands separator."""

    def draw(s: Source) -> Value:
        n = s.integer(low, high)
        return Value(f"{n:,}" if n >= 1000 and s.chance(0.5) else str(n), n)

    return draw


class Decimal(str):
    """A JSON number kept as it should be written, trailing zeros included."""


CURRENCIES = ("EUR", "USD", "GBP", "PLN", "CHF", "SEK", "JPY", "INR", "CAD", "AUD")
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}
WORDS = {
    "EUR": ("euros", "euro", "Euros"), "USD": ("dollars", "dollars", "bucks", "US dollars"), "GBP": ("pounds", "pounds", "quid"),
    "JPY": ("yen",), "INR": ("rupees",), "CHF": ("Swiss francs", "francs"), "PLN": ("zloty",),
}  # fmt: skip


def write_amount(s: Source, whole: int, cents: str, currency: str) -> str:
    grouped = f"{whole:,}"
    number = (grouped if s.chance(0.6) else str(whole)) + (f".{cents}" if cents else "")
    symbol = SYMBOLS.get(currency)
    form = s.random.random()
    if symbol and form < 0.55:
        return f"{symbol}{number}" if form < 0.48 else f"{number} {symbol}"
    if currency in WORDS and form < 0.66:
        return f"{number} {s.pick(WORDS[currency])}"
    if not cents and whole >= 1000 and currency == "CHF" and s.chance(0.4):
        return f"{grouped.replace(',', chr(39))} CHF"
    if not cents and whole >= 1000 and currency in ("EUR", "PLN") and form < 0.72:
        return f"{grouped.replace(',', '.')} {symbol or currency}"
    if cents and currency in ("EUR", "PLN", "SEK") and form < 0.78:
        return f"{grouped.replace(',', '.')},{cents} {symbol or currency}"
    return f"{number} {currency}" if s.chance(0.6) else f"{currency} {number}"


def amount(s: Source, currency: str) -> Value:
    whole = s.pick((s.integer(1, 99), s.integer(5, 999), s.integer(100, 9999), s.integer(1000, 98000)))
    cents = digits(s, 2) if s.chance(0.6) else ""
    if s.chance(0.03):
        thousands = s.integer(2, 120)
        return Value(
            f"{SYMBOLS.get(currency, '')}{thousands}k" + ("" if currency in SYMBOLS else f" {currency}"),
            Decimal(f"{thousands}000"),
        )
    return Value(write_amount(s, whole, cents, currency), Decimal(f"{whole}.{cents}" if cents else str(whole)))


def bare_amount(s: Source) -> Value:
    """An amount without its currency."""
    whole = s.pick((s.integer(1, 99), s.integer(5, 999), s.integer(100, 9999)))
    number = f"{whole}.{digits(s, 2)}" if s.chance(0.6) else str(whole)
    return Value(number, Decimal(number))


def lowered(value: Value) -> Value:
    """A text value in the hand of somebody who writes no capitals."""
    return plain(value.surface.lower()) if value.json == value.surface else value


def percent(s: Source) -> Value:
    n = s.pick((str(s.integer(1, 99)), f"{s.integer(1, 30)}.{s.integer(1, 9)}"))
    return Value(n + s.pick(("%", "%", " %", " percent")), Decimal(n))


def measure(low: int, high: int, *units: str) -> Draw:
    """A number with a unit behind it; the number is the value."""

    def draw(s: Source) -> Value:
        n = f"{s.integer(low, high)}.{s.integer(1, 9)}" if s.chance(0.3) else str(s.integer(low, high))
        return Value(n + s.pick((" ", "")) + s.pick(units), Decimal(n))

    return draw


def decimal(s: Source) -> Value:
    """A reading with one to three decimals; its unit is the passage's."""
    n = f"{s.pick((s.integer(0, 9), s.integer(0, 99), s.integer(0, 999)))}.{digits(s, s.pick((1, 1, 2, 3)))}"
    return Value(n, Decimal(n))


def file_name(s: Source) -> Value:
    stem = s.pick((free_noun(s), f"{free_noun(s)}_{free_noun(s)}", f"{free_noun(s)}-{s.integer(1, 99)}", f"{s.pick(lexicon.COMMON_ADJECTIVES)}_{free_noun(s)}"))  # fmt: skip
    return plain(f"{ascii_letters(stem) or 'file'}.{s.pick(('py', 'csv', 'pdf', 'log', 'json', 'yaml', 'txt', 'conf', 'xlsx', 'cpp', 'js', 'zip', 'png', 'sql'))}")  # fmt: skip


def identifier(s: Source) -> Value:
    """A name as programs have them: of a table, a queue, a branch, a metric."""
    joint = s.pick(("_", "_", "-", ".", "/"))
    return plain(joint.join(ascii_letters(free_noun(s)) or "x" for _ in range(s.pick((1, 2, 2, 3)))))


def mac_address(s: Source) -> Value:
    joint, digit = s.pick((":", ":", "-")), s.pick(("0123456789abcdef", "0123456789ABCDEF"))
    return plain(joint.join(s.pick(digit) + s.pick(digit) for _ in range(6)))


def ip_address(s: Source) -> Value:
    return plain(".".join(str(s.integer(1, 254)) for _ in range(4)))


def url_path(s: Source) -> Value:
    parts = s.sample(
        (
            "api",
            "v1",
            "v2",
            "users",
            "orders",
            "login",
            "items",
            "search",
            "cart",
            "health",
            "export",
            "invoices",
            "upload",
        ),
        s.integer(1, 3),
    )
    return plain("/" + "/".join(parts) + (f"/{s.integer(1, 9999)}" if s.chance(0.3) else ""))


def website(s: Source) -> Value:
    host = (
        s.entity(lexicon.COMPANY_WORDS).lower()
        + s.pick(("", "-"))
        + (s.pick(lexicon.COMPANY_NOUNS).lower() if s.chance(0.7) else pseudo_word(s))
    )
    return plain(s.pick(("", "www.", "https://", "https://www.")) + f"{host}.{s.pick(lexicon.TLDS)}")
