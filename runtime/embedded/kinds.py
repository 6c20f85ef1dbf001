"""The kinds of values that scenes and tools name by one word: how JSON holds them, how they are drawn, what they are called."""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass

from slipform.runtime.embedded import lexicon as lex
from slipform.runtime.embedded import values as v
from slipform.runtime.embedded.schema_fields import FieldType
from slipform.runtime.embedded.source import Source, Value


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value.

    Attributes:
        type: how JSON holds it.
        draw: draws a value; None for amounts, which follow the currency of their passage.
        group: kinds of one group can be mistaken for each other (every kind of date, every kind of name).
        called: property names that fit when a passage holds a single value of the group.
        suffixes: endings that a property name of the kind may take.
        closed: whether the values come from a short list, so that a schema may list them as options.
    """

    type: FieldType
    draw: v.Draw | None
    group: str
    called: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    closed: bool = False


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split(r"[|\n]", text) if part.strip())


DISHES = _words("""
    lasagne|mushroom risotto|fish and chips|beef stew|vegetable curry|pad thai|chicken tikka|onion soup|apple pie|pizza margherita
    Caesar salad|tomato soup|goulash|paella|ramen|burrito|cheesecake|pancakes|lentil soup|roast chicken|meatballs|spring rolls
    pumpkin soup|carbonara|falafel|moussaka|shepherd's pie|tiramisu|fried rice|grilled salmon|pierogi|ratatouille|chili con carne
    banana bread|carrot cake|potato salad|omelette|dumplings|quiche|couscous salad|tuna sandwich|lamb chops|spinach pie
""")
DRINKS = _words("cola|orange juice|sparkling water|lemonade|red wine|white wine|beer|green tea|iced tea|apple juice|coffee|espresso|milk|cider|ginger ale|hot chocolate|tomato juice|tonic water")  # fmt: skip
FOODS = _words("""
    onions|garlic|nuts|peanuts|milk|eggs|mushrooms|cheese|tomatoes|olives|shellfish|butter|flour|sugar|rice|bacon|basil|lemons
    carrots|potatoes|spinach|beans|honey|cream|chickpeas|peppers|celery|ham|prawns|bread|oats|apples|bananas|chocolate|pasta
""")
VEGETABLES = _words("onions|garlic|carrots|potatoes|spinach|beans|chickpeas|peppers|celery|tomatoes|leeks|courgettes|lentils|rice|flour|butter|eggs|cheese|cream|basil|mushrooms|peas|pumpkin|olive oil|yeast")  # fmt: skip
PETS = _words("Bella|Max|Rocky|Luna|Minka|Balu|Coco|Felix|Socks|Pepper|Biscuit|Shadow|Nala|Oscar|Whiskers|Molly|Buddy|Simba|Daisy|Rex|Paddy|Cleo|Toffee|Rufus|Milo|Nemo|Ginger|Bruno")  # fmt: skip
BREEDS = _words("beagle|poodle|dachshund|labrador|terrier|collie|husky|boxer|spaniel|greyhound|pug|schnauzer|dalmatian|setter|corgi|whippet")  # fmt: skip
HOBBIES = _words("chess|climbing|gardening|knitting|sailing|cooking|birdwatching|running|painting|photography|cycling|dancing|fishing|reading|hiking|swimming|pottery|yoga|board games|the piano|tennis|surfing|baking|astronomy|choir singing")  # fmt: skip
LANGUAGES = _words("English|French|German|Spanish|Italian|Polish|Dutch|Turkish|Japanese|Korean|Greek|Swedish|Arabic|Hindi|Czech|Finnish|Portuguese|Mandarin|Russian|Danish")  # fmt: skip
DEPARTMENTS = _words("marketing|sales|accounting|human resources|legal|logistics|purchasing|research|customer service|production|quality control|IT|finance|communications|facility management")  # fmt: skip
COURSES = _words("pottery|Spanish|watercolour painting|first aid|salsa|photography|creative writing|yoga|algebra|chemistry|woodwork|bookkeeping|Italian cooking|swimming|guitar|biology|physics|geography|history|web design|sewing|public speaking|chess|driving theory")  # fmt: skip
EVENTS = _words("my birthday|our wedding|the housewarming|the summer party|our anniversary|the retirement party|the christening|the graduation|a garden party|the office party|the baby shower|New Year's Eve|the farewell dinner|the reunion|the opening night|a barbecue")  # fmt: skip
DESTINATIONS = _words("transport museum|zoo|castle|old mill|fire station|botanical garden|planetarium|town hall|harbour|farm|theatre|science centre|bakery|lighthouse|cathedral|salt mine")  # fmt: skip
CAR_MAKERS = _words("Ford|Volvo|Skoda|Toyota|Fiat|Opel|Renault|Mazda|Honda|Kia|Peugeot|Seat|Nissan|Hyundai|Subaru|Dacia|Suzuki|Citroën|Saab|Lancia")  # fmt: skip
CAR_MODELS = _words("Focus|Octavia|Corolla|Panda|Astra|Clio|Civic|Rio|Ibiza|Leaf|Golf|Fabia|Yaris|Punto|Corsa|Megane|Jazz|Ceed|Leon|Micra|Duster|Swift|Kombi|Tipo|V60|CX-5|208|i20")  # fmt: skip
CROPS = _words("wheat|barley|rye|oats|maize|rapeseed|sugar beet|potatoes|sunflowers|hops|soya|field beans|clover|onions|carrots|apples|grapes|hay|silage|lettuce|strawberries|asparagus")  # fmt: skip
LIVESTOCK = _words("cows|heifers|calves|bulls|sheep|lambs|goats|pigs|sows|piglets|hens|geese|ducks|turkeys|horses|ponies|alpacas|bullocks|ewes|rams")  # fmt: skip
SHIP_WORDS = _words("Star|Spirit|Heron|Pioneer|Trader|Wind|Horizon|Princess|Pearl|Tide|Voyager|Falcon|Bay|Express|Queen|Explorer|Dawn|Carrier|Hope|Endeavour")  # fmt: skip
RELATIVES = _words("aunt|uncle|grandmother|grandfather|sister|brother|cousin|niece|nephew|mother-in-law|father-in-law|stepson|godmother|daughter|son|husband|wife|granddaughter|grandson|sister-in-law|great-aunt|twin brother|mother|father|stepfather")  # fmt: skip
BODY_PARTS = _words("left knee|right knee|left ankle|right wrist|left shoulder|right elbow|lower back|neck|left hip|right hand|left foot|nose|jaw|right thumb|collarbone|left ear|forehead|right eye|left thigh|upper arm|little finger|big toe")  # fmt: skip
ANIMALS = _words("hedgehog|parrot|tortoise|hamster|guinea pig|rabbit|goat|donkey|pony|swan|barn owl|goose|ferret|canary|budgie|lizard|squirrel|fox|heron|duck|kitten|puppy|hen|lamb|otter|badger|tawny owl|gecko|chinchilla|cockatoo")  # fmt: skip
PLANTS = _words("roses|tomatoes|lavender|tulips|runner beans|sunflowers|geraniums|strawberries|dahlias|courgettes|an apple tree|rhubarb|peonies|hydrangeas|raspberry canes|sweet peas|radishes|lettuce|a lemon tree|mint|pumpkins|an orchid|ferns|leeks|garlic|beetroot|snowdrops|a fig tree|spinach")  # fmt: skip
SPORTS = _words("football|hockey|volleyball|tennis|judo|rowing|handball|badminton|table tennis|fencing|cricket|rugby|swimming|gymnastics|archery|curling|climbing|basketball|water polo|athletics|squash|bowls|darts|figure skating")  # fmt: skip
INSTRUMENTS = _words("piano|violin|cello|trumpet|flute|clarinet|guitar|drums|harp|saxophone|accordion|trombone|double bass|oboe|ukulele|viola|recorder|organ|banjo|tuba|French horn|mandolin")  # fmt: skip
TEAM_WORDS = _words("United|City|Rovers|Wanderers|FC|Athletic|Lions|Eagles|Wolves|Sharks|Bears|Tigers|Falcons|Rangers|Sparta|Dynamo")  # fmt: skip


def _one_of(words: tuple[str, ...]) -> v.Draw:
    return lambda s: v.plain(s.pick(words))


def plain_pick(s: Source, *texts: str) -> Value:
    return v.plain(s.pick(texts))


def _some_of(words: tuple[str, ...]) -> v.Draw:
    def draw(s: Source) -> Value:
        chosen = s.sample(words, s.pick((1, 2, 2, 3, 3, 4)))
        return Value(v.join_words(s, chosen), chosen)

    return draw


def _number(low: int, high: int) -> v.Draw:
    return lambda s: (lambda n: Value(str(n), n))(s.integer(low, high))


def full_address(s: Source) -> Value:
    street, code, city = v.street(s).surface, v.postcode(s).surface, v.city(s).surface
    return v.plain(s.pick((f"{street}, {city}", f"{street}, {code} {city}", f"{street}, {city} {code}", f"{street}, {city}, {v.country(s).surface}")))  # fmt: skip


def user_name(s: Source) -> Value:
    first, last = v.ascii_letters(v.first_name(s)) or "user", v.ascii_letters(v.last_name(s)) or "guest"
    return v.plain(s.pick((f"{first}{s.integer(1, 99)}", f"{first[0]}{last}", f"{first}_{last}", f"{first}.{last[0]}", v.pseudo_word(s), f"{last}{s.integer(1950, 2012)}", f"{first}-{v.pseudo_word(s)}")))  # fmt: skip


def titled_last(s: Source) -> Value:
    return v.plain(f"{s.pick(('Mr', 'Ms', 'Mrs', 'Mr.', 'Mrs.', 'Miss', 'Dr.'))} {v.last_name(s)}")


def book_title(s: Source) -> Value:
    return v.plain(s.pick((f"The {v.free_phrase(s).title()}", v.free_phrase(s).title(), f"{v.free_phrase(s).title()} in {v.city(s).surface}", f"The Last {v.free_noun(s).capitalize()}")).replace("The The", "The"))  # fmt: skip


def artist(s: Source) -> Value:
    return v.plain(s.pick((f"The {v.free_noun(s).capitalize()}s", f"{v.first_name(s)} {v.last_name(s)}", f"{v.pseudo_word(s).capitalize()} {v.free_noun(s).capitalize()}")))  # fmt: skip


def team(s: Source) -> Value:
    town = v.city(s).surface
    return v.plain(f"{town} {s.pick(TEAM_WORDS)}" if s.chance(0.7) else f"FC {town}")


def vehicle(s: Source) -> Value:
    model = v.pseudo_word(s).capitalize() if s.chance(0.2) else s.entity(CAR_MODELS)
    return v.plain(f"{s.pick(CAR_MAKERS)} {model}")


def plate(s: Source) -> Value:
    a, b, c = v.letters(s, 1), v.letters(s, 2), v.letters(s, 3)
    return v.plain(s.pick((f"{b}{v.digits(s, 2)} {c}", f"{a}-{b} {v.digits(s, 4)}", f"{c} {v.digits(s, 4)}", f"{b}-{v.digits(s, 3)}-{b}", f"{v.digits(s, 4)} {c}", f"{c}-{v.digits(s, 3)}")))  # fmt: skip


def iban(s: Source) -> Value:
    groups = [v.digits(s, 4) for _ in range(s.integer(3, 5))]
    head = f"{s.pick(('DE', 'FR', 'GB', 'NL', 'ES', 'PL', 'AT', 'CH'))}{v.digits(s, 2)}"
    return v.plain(s.pick((" ", "", " ")).join([head, *groups, v.digits(s, s.integer(1, 4))]))


def version(s: Source) -> Value:
    return v.plain(s.pick((f"{s.integer(1, 20)}.{s.integer(0, 12)}", f"{s.integer(1, 9)}.{s.integer(0, 30)}.{s.integer(0, 20)}", f"v{s.integer(1, 12)}.{s.integer(0, 9)}")))  # fmt: skip


def error_code(s: Source) -> Value:
    return v.plain(s.pick((f"E{v.digits(s, 2)}", f"{v.letters(s, 3)}-{v.digits(s, 3)}", f"0x{v.digits(s, 4)}", str(s.integer(400, 599)), f"ERR_{v.letters(s, 4)}")))  # fmt: skip


def voucher(s: Source) -> Value:
    return v.plain(s.pick((f"{v.pseudo_word(s).upper()}{s.integer(5, 50)}", v.letters(s, 6), f"{v.letters(s, 3)}{v.digits(s, 3)}", f"{v.letters(s, 2)}{v.digits(s, 1)}{v.letters(s, 3)}")))  # fmt: skip


def host(s: Source) -> Value:
    return v.plain(f"{s.pick(('web', 'db', 'mail', 'app', 'node', 'cache', 'srv', 'gw', 'files'))}{s.pick(('-', '', '0', '-prod-', '.eu'))}{s.integer(1, 40)}")  # fmt: skip


def service(s: Source) -> Value:
    name = v.pseudo_word(s) if s.chance(0.2) else s.entity(lex.SERVICES)
    if s.chance(0.65):
        return v.plain(name)
    other = s.pick(("worker", "api", "core", "handler", "jobs", "client", "queue", "http", "db", v.pseudo_word(s)))
    return v.plain(
        s.pick((f"{name}.{other}", f"{name}-{other}", f"{name}_{other}", f"com.{name}.{other}", f"{name}/{other}"))
    )


def tracking_number(s: Source) -> Value:
    return v.plain(v.digits(s, s.integer(10, 22))) if s.chance(0.4) else v.code(s, ("TR", "1Z", "JD", "RR"))


def flight(s: Source) -> Value:
    return v.plain(f"{v.letters(s, 2)}{s.pick((' ', ''))}{s.integer(100, 9999)}")


def line(s: Source) -> Value:
    """The number of a bus, tram or train, as its passengers call it."""
    return v.plain(s.pick((str(s.integer(1, 99)), f"{s.pick('ABENSUX')}{s.integer(1, 60)}", f"{s.pick(('ICE', 'RE', 'IC', 'EC', 'TGV', 'RB', 'S'))} {s.integer(1, 990)}", str(s.integer(100, 899)))))  # fmt: skip


def score(s: Source) -> Value:
    return v.plain(f"{s.integer(0, 9)}{s.pick(('-', ':', '–'))}{s.integer(0, 9)}")


def room(s: Source) -> Value:
    return v.plain(s.pick((f"room {s.integer(1, 420)}", f"Room {s.pick('ABCDE')}{s.integer(1, 30)}", f"the {s.entity(lex.COMPANY_WORDS)} room", "the canteen", "the library", "the town hall", "the main entrance", f"hall {s.integer(1, 9)}", f"conference room {s.integer(1, 12)}", f"{s.pick('ABCDEFG')}{s.integer(1, 9)}.{s.integer(10, 99)}", f"the {v.free_noun(s)} room", "the gym", "the car park")))  # fmt: skip


def temperature(s: Source) -> Value:
    n = f"{s.integer(-12, 38)}.{s.integer(1, 9)}" if s.chance(0.25) else str(s.integer(-12, 38))
    return Value(n + s.pick(("°C", " °C", " degrees", "°", " degrees Celsius")), v.Decimal(n))


def ordinal_number(s: Source) -> Value:
    words = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
    n = s.integer(1, 10)
    return Value(words[n - 1] if s.chance(0.6) else v.ordinal(n), n)


def _bullets(one: Callable[[Source], Value]) -> v.Draw:
    def draw(s: Source) -> Value:
        mark = s.pick(("- ", "* ", "• ", "", "[ ] ", "– "))
        things = list(dict.fromkeys(one(s).surface for _ in range(s.integer(2, 6))))
        return Value("\n".join(mark + thing for thing in things), things)

    return draw


def iso_date(s: Source) -> Value:
    return v.plain(v.calendar_day(s).isoformat())


def clock(s: Source) -> Value:
    text = f"{s.integer(0, 23):02}:{s.integer(0, 59):02}:{s.integer(0, 59):02}"
    return v.plain(text + (f".{s.integer(0, 999):03}" if s.chance(0.2) else ""))


def counted_things(s: Source) -> Value:
    """Things with their numbers in prose; the value is the list of the things."""
    things = list(dict.fromkeys(v.product(s).surface for _ in range(s.integer(1, 4))))
    form = s.pick(("{} x {}", "{} {}", "{}x {}", "{} of the {}"))
    return Value(v.join_words(s, [form.format(s.integer(2, 300), thing) for thing in things]), things)


def artists(s: Source) -> Value:
    names = list(dict.fromkeys(artist(s).surface for _ in range(s.integer(1, 3))))
    return Value(", ".join(names), names)


def vessel(s: Source) -> Value:
    first = v.pseudo_word(s).capitalize() if s.chance(0.3) else s.pick((v.city(s).surface, v.first_name(s), *(word.capitalize() for word in lex.COLORS)))  # fmt: skip
    return plain_pick(
        s,
        f"MV {first} {s.pick(SHIP_WORDS)}",
        f"{first} {s.pick(SHIP_WORDS)}",
        f"MS {first}",
        f"MT {first} {s.pick(SHIP_WORDS)}",
    )


def container(s: Source) -> Value:
    owner = f"{v.letters(s, 3)}U"
    return plain_pick(
        s, f"{owner} {v.digits(s, 6)}-{v.digits(s, 1)}", f"{owner}{v.digits(s, 7)}", f"{owner} {v.digits(s, 7)}"
    )


def vat_number(s: Source) -> Value:
    head = s.pick(("DE", "GB", "FR", "NL", "PL", "ATU", "IE", "ES", "IT"))
    return plain_pick(s, f"{head}{v.digits(s, 9)}", f"{head} {v.digits(s, 3)} {v.digits(s, 3)} {v.digits(s, 3)}")


def bank_code(s: Source) -> Value:
    head = (
        f"{v.letters(s, 4)}{s.pick(('DE', 'FR', 'GB', 'NL', 'ES', 'PL', 'AT', 'CH'))}{v.letters(s, 1)}{v.digits(s, 1)}"
    )
    return plain_pick(s, head, f"{head}XXX")


def tail_number(s: Source) -> Value:
    return plain_pick(
        s,
        f"{s.pick('DFGI')}-{v.letters(s, 4)}",
        f"N{v.digits(s, 3)}{v.letters(s, 2)}",
        f"HB-{v.letters(s, 3)}",
        f"EI-{v.letters(s, 3)}",
    )


def millions(s: Source) -> Value:
    """A large sum in words; the value is the sum in units of its currency."""
    n = f"{s.integer(1, 90)}.{s.integer(1, 9)}" if s.chance(0.7) else str(s.integer(1, 900))
    number = v.Decimal(str(int(float(n) * 10 + 0.5) * 100_000))
    symbol, name = s.pick((("€", "euros"), ("$", "dollars"), ("£", "pounds")))
    return Value(s.pick((f"{symbol}{n} million", f"{n} million {name}", f"{symbol}{n}m", f"{n}m {name}")), number)


def ticker(s: Source) -> Value:
    """The symbol of a share at an exchange."""
    return v.plain(v.letters(s, s.pick((3, 4, 4))) + s.pick(("", "", "", ".DE", ".L", ".PA")))


def channel(s: Source) -> Value:
    """A channel of a chat among colleagues."""
    return v.plain(f"#{s.pick(('team', 'ops', 'proj', 'all', 'help'))}-{v.ascii_letters(v.free_noun(s)) or 'general'}")


DIAGNOSES = _words("""
    pneumonia|appendicitis|migraine|atrial fibrillation|type 2 diabetes|gout|bronchitis|iron deficiency anaemia|sciatica|kidney stones
    tonsillitis|shingles|asthma|hypertension|carpal tunnel syndrome|gastritis|otitis media|a torn meniscus|sleep apnoea|cellulitis
    psoriasis|vertigo|osteoarthritis|hypothyroidism|gallstones|conjunctivitis|a stress fracture|tendinitis|pleurisy|diverticulitis
""")
CHEMICALS = _words("acetone|ammonia|benzene|chlorine|copper sulphate|ethanol|glycerol|hydrogen peroxide|lead|mercury|methane|nitrate|nitric acid|ozone|phosphate|potassium chloride|sodium hydroxide|sulphur dioxide|toluene|zinc oxide|cadmium|formaldehyde|radon|arsenic|propane")  # fmt: skip
PARTS = _words("fan belt|main bearing|gearbox|oil filter|spindle|pressure valve|drive chain|coolant pump|piston ring|limit switch|contactor|servo motor|heat exchanger|impeller|seal ring|thermocouple|brake pad|proximity sensor|ball screw|rotor blade|hydraulic hose|circuit breaker|encoder|clutch plate|fuel injector")  # fmt: skip
PARTIES = _words("Labour|the Greens|the Liberals|the Conservatives|the Social Democrats|the Christian Democrats|the Centre Party|the Pirate Party|the People's Party|the Farmers' League|the Reform Party|the Free Voters|the Progressives|the Unionists")  # fmt: skip


def past_date(first: int, last: int) -> v.Draw:
    """A full date of the years from `first` to `last`, as something that lies back is dated."""

    def draw(s: Source) -> Value:
        day = datetime.date(s.integer(first, last), s.integer(1, 12), s.integer(1, 28))
        return Value(v.write_date(s, day), day.isoformat())

    return draw


def stamp(s: Source) -> Value:
    """A point in time as machines write it."""
    text = f"{v.calendar_day(s)}{s.pick('TT ')}{s.integer(0, 23):02}:{s.integer(0, 59):02}:{s.integer(0, 59):02}"
    return v.plain(text + s.pick(("", "Z", f".{s.integer(0, 999):03}", "+00:00", f".{s.integer(0, 999):03}Z")))


def commit(s: Source) -> Value:
    return v.plain("".join(s.pick("0123456789abcdef") for _ in range(s.pick((7, 7, 8, 10, 12)))))


def authority(s: Source) -> Value:
    """A court, a ministry or an office, as official papers name it."""
    town = v.city(s).surface
    field = s.pick(
        ("Transport", "Health", "Education", "Finance", "Justice", "Agriculture", "Labour", "the Environment")
    )
    return plain_pick(
        s,
        f"{town} City Council",
        f"{town} District Court",
        f"Regional Court of {town}",
        f"Ministry of {field}",
        f"Office for {field}",
        f"{town} Magistrates' Court",
        f"{town} Tax Office",
        f"{town} Building Authority",
        f"Chamber of Commerce of {town}",
        f"{town} Port Authority",
    )


PERSON, CODE, COUNT = "person", "code", "count"
NAMED = ("_name",)
NUMBERED = ("_number", "_id", "_no")


def _code(*prefixes: str) -> Kind:
    return Kind("string", v.code_like(*prefixes), CODE, ("number", "id", "reference", "code"), NUMBERED)


def _count(low: int, high: int, words: bool = False) -> Kind:
    draw = v.count(low, high) if words else v.big_count(low, high)
    return Kind("integer", draw, COUNT)


KINDS: dict[str, Kind] = {
    "person": Kind("string", v.person, PERSON, ("name", "full_name"), NAMED),
    "first": Kind("string", v.given_name, PERSON, ("name", "first_name"), NAMED),
    "last": Kind("string", lambda s: v.plain(v.last_name(s)), PERSON, ("name", "last_name"), NAMED),
    "lastmr": Kind("string", titled_last, PERSON, ("name",), NAMED),
    "doctor": Kind("string", v.doctor, PERSON, ("doctor", "doctor_name"), NAMED),
    "people": Kind("strings", v.people, "people", ("people", "names")),
    "namebullets": Kind("strings", _bullets(v.person), "people", ("names",)),
    "email": Kind("email", v.email, "email", ("email", "email_address", "mail", "e_mail"), ()),
    "phone": Kind("string", v.phone, "phone", ("phone", "phone_number", "telephone", "tel", "contact_number"), ()),
    "date": Kind("date", v.date, "date", ("date", "day"), ("_date",)),
    "isodate": Kind("date", iso_date, "date", ("date", "day"), ()),
    "time": Kind("time", v.time, "time", ("time", "at"), ("_time",)),
    "clock": Kind("string", clock, "time", ("time", "timestamp"), ()),
    "amount": Kind("amount", None, "amount", ("amount", "price", "sum"), ("_amount",)),
    "percent": Kind("number", v.percent, "percent", ("percent", "percentage", "rate")),
    "code": _code("ID", "REF", "A", "KD", "N"),
    "order": _code("ORD", "PO", "SO", "W"),
    "invoice_no": _code("INV", "RE", "R", "F"),
    "ticket": _code("TCK", "INC", "CASE", "T"),
    "tracking": Kind("string", tracking_number, CODE, ("tracking_number", "number"), NUMBERED),
    "voucher": Kind("string", voucher, CODE, ("code",), ("_code",)),
    "errorcode": Kind("string", error_code, CODE, ("error_code", "error"), ()),
    "version": Kind("string", version, "version", ("version", "release"), ()),
    "iban": Kind("string", iban, "iban", ("iban", "bank_account", "account_number"), ()),
    "plate": Kind("string", plate, "plate", ("license_plate", "plate_number", "registration"), ()),
    "four": Kind("string", lambda s: v.plain(v.digits(s, 4)), CODE, ("last_four",), ()),
    "ext": Kind("string", lambda s: v.plain(v.digits(s, s.integer(2, 4))), "phone", ("extension",), ()),
    "username": Kind("string", user_name, "user", ("user", "user_name", "username", "login"), ()),
    "city": Kind("string", v.city, "city", ("city", "town", "place", "location"), ("_city",)),
    "country": Kind("string", v.country, "country", ("country", "nation"), ()),
    "street": Kind("string", v.street, "street", ("street", "street_address"), ()),
    "postcode": Kind("string", v.postcode, "postcode", ("postcode", "postal_code", "zip_code", "zip"), ()),
    "address": Kind("string", full_address, "address", ("address", "full_address"), ("_address",)),
    "company": Kind("string", v.company, "company", ("company", "company_name", "organisation"), NAMED),
    "product": Kind("string", v.product, "product", ("product", "product_name", "item", "article"), NAMED),
    "products": Kind("strings", v.items, "products", ("items", "products", "articles")),
    "bullets": Kind("strings", _bullets(v.product), "products", ("items", "entries")),
    "counted": Kind("strings", counted_things, "products", ("items", "products", "articles")),
    "artists": Kind("strings", artists, "artist", ("bands", "artists")),
    "destinations": Kind("string", _one_of(DESTINATIONS), "destination", ("destination",), ()),
    "foodbullets": Kind("strings", _bullets(lambda s: v.plain(s.pick(FOODS))), "foods", ("ingredients",)),
    "brand": Kind("string", v.brand, "brand", ("brand", "manufacturer", "maker"), ()),
    "vehicle": Kind("string", vehicle, "vehicle", ("vehicle", "car", "model"), ()),
    "n": _count(2, 12, words=True),
    "n5": _count(1, 5, words=True),
    "num": _count(13, 990),
    "big": _count(1000, 90000),
    "level": _count(1, 100),
    "year": Kind("integer", _number(1950, 2029), "year", ("year",), ("_year",)),
    "ordinal": Kind("integer", ordinal_number, COUNT, ("number",), ()),
    "kg": Kind("number", v.measure(1, 400, "kg", "kilos", "kilograms"), "weight", ("weight", "weight_kg", "mass"), ()),
    "km": Kind("number", v.measure(1, 500, "km", "kilometres"), "distance", ("distance", "distance_km"), ()),
    "cm": Kind("number", v.measure(2, 300, "cm", "centimetres"), "length", ("length_cm",), ()),
    "m2": Kind("number", v.measure(18, 300, "m²", "m2", "sqm", "square metres"), "area", ("area", "size", "size_m2"), ()),
    "litres": Kind("number", v.measure(1, 90, "litres", "l", "L"), "volume", ("volume", "capacity"), ()),
    "hours": Kind("number", v.measure(1, 60, "hours", "h", "hrs"), "hours", ("hours",), ()),
    "temp": Kind("number", temperature, "temperature", ("temperature", "degrees"), ()),
    "color": Kind("string", _one_of(lex.COLORS), "color", ("color", "colour"), (), closed=True),
    "size": Kind("string", _one_of(lex.SIZES), "size", ("size",), (), closed=True),
    "material": Kind("string", _one_of(lex.MATERIALS), "material", ("material",), (), closed=True),
    "language": Kind("string", _one_of(LANGUAGES), "language", ("language",), (), closed=True),
    "languages": Kind("strings", _some_of(LANGUAGES), "languages", ("languages",)),
    "department": Kind("string", _one_of(DEPARTMENTS), "department", ("department", "team"), (), closed=True),
    "month": Kind("string", _one_of(tuple(lex.MONTHS)), "month", ("month",), (), closed=True),
    "weekday": Kind("string", _one_of(tuple(lex.WEEKDAYS)), "weekday", ("weekday", "day"), (), closed=True),
    "specialty": Kind("string", _one_of(lex.SPECIALTIES), "specialty", ("specialty",), (), closed=True),
    "method": Kind("string", _one_of(("GET", "POST", "PUT", "DELETE", "PATCH")), "method", ("method",), (), closed=True),
    "http": Kind("integer", lambda s: (lambda n: Value(str(n), n))(s.pick((200, 201, 204, 301, 304, 400, 401, 403, 404, 409, 429, 500, 502, 503, 504))), COUNT, ("status", "status_code"), ()),
    "course": Kind("string", _one_of(COURSES), "course", ("course", "subject"), (), closed=True),
    "breed": Kind("string", _one_of(BREEDS), "breed", ("breed",), (), closed=True),
    "letter": Kind("string", lambda s: v.plain(s.pick("ABCDEFGH")), "letter", ("building",), ()),
    "grade": Kind("string", lambda s: v.plain(f"{s.integer(1, 12)}{s.pick('abcd')}"), "grade", ("class", "grade"), ()),
    "dish": Kind("string", v.one_of(DISHES), "dish", ("dish", "meal", "food"), ()),
    "drink": Kind("string", _one_of(DRINKS), "drink", ("drink", "beverage"), (), closed=True),
    "food": Kind("string", _one_of(FOODS), "food", ("food", "ingredient"), ()),
    "foods": Kind("strings", _some_of(FOODS), "foods", ("ingredients", "foods")),
    "veg": Kind("strings", _some_of(VEGETABLES), "foods", ("ingredients", "foods")),
    "petname": Kind("string", lambda s: v.plain(v.pseudo_word(s).capitalize() if s.chance(0.3) else s.entity(PETS)), "pet", ("pet", "pet_name", "animal_name"), ()),
    "hobbies": Kind("strings", _some_of(HOBBIES), "hobbies", ("hobbies", "interests")),
    "artist": Kind("string", artist, "artist", ("artist", "band"), ()),
    "booktitle": Kind("string", book_title, "title", ("title", "name"), ()),
    "title": Kind("string", v.title, "title", ("title", "name"), ()),
    "event": Kind("string", _one_of(EVENTS), "event", ("event", "occasion"), ()),
    "topic": Kind("string", v.topic, "topic", ("topic", "subject"), ()),
    "task": Kind("string", v.task, "task", ("task", "todo", "action"), ()),
    "sentence": Kind("string", v.sentence, "text", ("text", "message"), ()),
    "job": Kind("string", lambda s: v.plain(s.pick(lex.JOB_LEVELS) + s.entity(lex.JOB_TITLES)), "job", ("job", "job_title", "occupation", "profession"), ()),
    "skills": Kind("strings", v.list_of(lex.SKILLS, 2, 4), "skills", ("skills",)),
    "symptom": Kind("string", v.one_of(lex.SYMPTOMS), "symptom", ("symptom", "complaint"), ()),
    "medicine": Kind("string", v.one_of(lex.MEDICINES), "medicine", ("medicine", "medication", "drug"), ()),
    "ip": Kind("string", v.ip_address, "ip", ("ip", "ip_address"), ()),
    "path": Kind("string", v.url_path, "path", ("path", "endpoint", "url"), ()),
    "url": Kind("string", v.website, "url", ("url", "website", "link"), ()),
    "service": Kind("string", service, "service", ("service", "component"), ()),
    "host": Kind("string", host, "host", ("host", "server", "machine"), ()),
    "room": Kind("string", room, "room", ("room", "place", "venue"), ()),
    "flight": Kind("string", flight, CODE, ("flight", "flight_number"), ()),
    "seat": Kind("string", lambda s: v.plain(f"{s.integer(1, 60)}{s.pick('ABCDEF')}"), "seat", ("seat",), ()),
    "gate": Kind("string", lambda s: v.plain(f"{s.pick('ABCD')}{s.integer(1, 60)}"), "gate", ("gate",), ()),
    "birthdate": Kind("date", v.birth_date, "date", ("date",), ("_date",)),
    "age": _count(18, 97),
    "minutes": _count(3, 120),
    "grams": Kind("number", v.measure(20, 950, "g", "grams"), "weight", ("weight_g",), ()),
    "relative": Kind("string", _one_of(RELATIVES), "relative", ("relative", "relation"), (), closed=True),
    "body": Kind("string", _one_of(BODY_PARTS), "body", ("body_part",), (), closed=True),
    "animal": Kind("string", _one_of(ANIMALS), "animal", ("animal", "species"), (), closed=True),
    "plant": Kind("string", _one_of(PLANTS), "plant", ("plant", "plants"), (), closed=True),
    "sport": Kind("string", _one_of(SPORTS), "sport", ("sport",), (), closed=True),
    "instrument": Kind("string", _one_of(INSTRUMENTS), "instrument", ("instrument",), (), closed=True),
    "score": Kind("string", score, "score", ("score", "result"), ()),
    "line": Kind("string", line, CODE, ("line", "service"), ()),
    "team": Kind("string", team, "team", ("team", "club"), ()),
    "dec": Kind("number", v.decimal, "decimal"),
    "word": Kind("string", lambda s: v.plain(v.free_noun(s)), "word", ("word",), ()),
    "ticker": Kind("string", ticker, "ticker", ("ticker", "symbol"), ()),
    "channel": Kind("string", channel, "channel", ("channel",), ()),
    "file": Kind("string", v.file_name, "file", ("file", "file_name", "filename"), ()),
    "ident": Kind("string", v.identifier, "identifier"),
    "mac": Kind("string", v.mac_address, "mac", ("mac", "mac_address"), ()),
    "millions": Kind("number", millions, "amount", ("amount", "sum"), ()),
    "tonnes": Kind("number", v.measure(1, 900, "tonnes", "t", "tons"), "weight", ("weight", "tonnes"), ()),
    "metres": Kind("number", v.measure(2, 600, "m", "metres", "meters"), "length", ("length_m",), ()),
    "hectares": Kind("number", v.measure(1, 120, "ha", "hectares"), "area", ("area", "hectares"), ()),
    "kwh": Kind("number", v.measure(20, 900, "kWh", "kilowatt hours"), "energy", ("kwh", "energy_kwh"), ()),
    "quarter": Kind("string", _one_of(("Q1", "Q2", "Q3", "Q4")), "quarter", ("quarter",), (), closed=True),
    "incoterm": Kind("string", _one_of(("EXW", "FCA", "FOB", "CFR", "CIF", "CIP", "DAP", "DDP")), "incoterm", ("incoterm", "delivery_terms"), (), closed=True),
    "crop": Kind("string", _one_of(CROPS), "crop", ("crop",), ()),
    "livestock": Kind("string", _one_of(LIVESTOCK), "livestock", ("animals", "livestock"), ()),
    "airport": Kind("string", lambda s: v.plain(v.letters(s, 3)), "airport", ("airport", "airport_code"), ()),
    "vessel": Kind("string", vessel, "vessel", ("vessel", "ship", "vessel_name"), ()),
    "container": Kind("string", container, CODE, ("container", "container_number"), ()),
    "vatno": Kind("string", vat_number, CODE, ("vat_number", "vat_id"), ()),
    "bic": Kind("string", bank_code, "bic", ("bic", "swift", "swift_code"), ()),
    "pastdate": Kind("date", past_date(2005, 2017), "date", ("date",), ("_date",)),
    "olddate": Kind("date", past_date(1790, 1949), "date", ("date",), ("_date",)),
    "oldyear": Kind("integer", _number(1640, 1949), "year", ("year",), ("_year",)),
    "stamp": Kind("string", stamp, "stamp", ("timestamp", "time"), ()),
    "commit": Kind("string", commit, CODE, ("commit", "revision", "sha"), ()),
    "few": _count(1, 9),
    "rawbig": Kind("integer", _number(1000, 900_000), COUNT),
    "votes": _count(100_000, 4_000_000),
    "diagnosis": Kind("string", v.one_of(DIAGNOSES), "diagnosis", ("diagnosis", "condition"), ()),
    "chemical": Kind("string", v.one_of(CHEMICALS), "chemical", ("substance", "chemical"), ()),
    "part": Kind("string", v.one_of(PARTS), "part", ("part", "component"), ()),
    "party": Kind("string", _one_of(PARTIES), "party", ("party",), (), closed=True),
    "authority": Kind("string", authority, "authority", ("authority", "office", "court"), ()),
    "tail": Kind("string", tail_number, "plate", ("registration", "aircraft_registration", "tail_number"), ()),
}  # fmt: skip


def kind_named(name: str) -> Kind:
    """The kind of that name; digits behind a name (`date2`) tell apart values of one kind. Raises KeyError."""
    return KINDS[name] if name in KINDS else KINDS[name.rstrip("0123456789")]


def later_date(s: Source, iso: str) -> Value:
    """A date one day to ninety days after another."""
    day = datetime.date.fromisoformat(iso) + datetime.timedelta(days=s.integer(1, s.pick((6, 30, 90))))
    return Value(v.write_date(s, day), day.isoformat())


def later_time(s: Source, clock_text: str) -> Value:
    """A time of the same day, a quarter of an hour to four hours after another."""
    minutes = min(int(clock_text[:2]) * 60 + int(clock_text[3:]) + 15 * s.integer(1, 16), 23 * 60 + 45)
    hour, minute = divmod(minutes // 5 * 5, 60)
    return Value(v.write_time(s, hour, minute), f"{hour:02}:{minute:02}")
