"""Tools that can be called, and the requests that call them.

Two sources of tools: a hand-written set of common ones, and tools composed of an action, an object and parameters, of
which there are thousands. Whole tools are held out: `held_out` is a pure function of the name.
"""

import re
import zlib
from collections.abc import Sequence

from slipform.runtime.embedded import lexicon as lex
from slipform.runtime.embedded import values as v
from slipform.runtime.embedded.kinds import later_date, later_time
from slipform.runtime.embedded.scenes import choose_wordings, paraphrased
from slipform.runtime.embedded.schema_fields import lines
from slipform.runtime.embedded.source import Source, Value
from slipform.runtime.embedded.tool_parts import Parameter, Request, Tool, names_its_tool
from slipform.runtime.embedded.tool_sheets import sheet_tools
from slipform.runtime.embedded.values import Draw


def parameter(
    kind: str, names: str, about: str, type_: str, draw: Draw, phrases: str = "", options: str = ""
) -> Parameter:
    """A parameter from space-separated names and |-separated descriptions, phrases and options."""

    def split(text: str) -> tuple[str, ...]:
        return tuple(part for part in text.split("|") if part)

    return Parameter(kind, tuple(names.split()), split(about), type_, draw, split(phrases), split(options))


def _choice(*pairs: tuple[str, str]) -> Draw:
    return lambda s: (lambda p: Value(p[0], p[1]))(s.pick(pairs))


def _quoted(words: tuple[str, ...], free: Draw) -> Draw:
    return lambda s: free(s) if s.chance(0.65) else v.plain(s.entity(words))


def _phrase(s: Source) -> Value:
    return v.plain(v.free_phrase(s))


def _number(low: int, high: int) -> Draw:
    return lambda s: (lambda n: Value(str(n), n))(s.integer(low, high))


def _decimal(low: int, high: int) -> Draw:
    def draw(s: Source) -> Value:
        n = f"{s.integer(low, high)}.{s.integer(1, 99)}" if s.chance(0.35) else str(s.integer(low, high))
        return Value(n, v.Decimal(n))

    return draw


LANGUAGES = ("French", "German", "Spanish", "Italian", "Polish", "Dutch", "Turkish", "Japanese", "Korean", "Greek", "Swedish", "Arabic", "Hindi", "Czech", "Finnish", "Portuguese")  # fmt: skip
SONGS = ("Blue Moon", "Yesterday", "Clair de Lune", "Summertime", "Ocean Drive", "Golden Hour", "Night Train", "Paper Planes", "River Song", "Silver Lining", "Morning Mood", "Velvet Sky", "Fireflies", "Autumn Leaves", "Moonlight Sonata", "Take Five", "Bohemian Sunrise", "Stay Awhile", "Homeward", "Black Coffee")  # fmt: skip
ROOMS = ("kitchen", "living room", "bedroom", "bathroom", "hallway", "garage", "office", "attic", "basement", "nursery", "dining room", "garden")  # fmt: skip
SENTENCES = ("Where is the station?", "I would like a coffee", "good morning", "see you tomorrow", "the bill, please", "How much is it?", "thank you very much", "I am lost", "Happy birthday", "the train is late", "my name is Anna", "we need help", "the weather is nice", "open the window", "I love this city", "no onions, please")  # fmt: skip
MESSAGES = ("I'm running late", "call me back", "dinner is ready", "the meeting is moved", "happy birthday", "thanks for your help", "see you at eight", "please bring milk", "the package has arrived", "I got the job", "good luck today", "don't forget the keys", "we are outside", "sorry about yesterday", "the doctor called")  # fmt: skip
QUERIES = ("vegan lasagne", "cheap flights", "running shoes", "jazz concerts", "tax advice", "used bicycles", "garden ideas", "python tutorials", "hiking trails", "wedding venues", "cat food", "winter tyres", "yoga classes", "history of Rome", "chess openings", "solar panels", "electric cars", "birthday gifts")  # fmt: skip
SYMBOLS = ("AAPL", "MSFT", "TSLA", "NVDA", "SAP", "AMZN", "GOOG", "NFLX", "SHEL", "BMW", "INTC", "IBM", "ORCL", "META", "AMD", "NKE")  # fmt: skip

CITY = parameter(
    "city", "city location place town", "City name|the place|name of the city", "string", v.city, "in {}|at {}|for {}"
)
PERSON = parameter(
    "person",
    "name person recipient contact attendee customer user guest",
    "Name of the person|full name|who it is for",
    "string",
    v.person,
    "for {}|with {}|the person is {}|{} is the name|it is for {}",
)
EMAIL = parameter(
    "email",
    "email to address recipient_email",
    "E-mail address|address to send to",
    "string",
    v.email,
    "to {}|and send it to {}|the address is {}|use {}|e-mail {}",
)
DATE = parameter(
    "date",
    "date day on when start_date",
    "Date (YYYY-MM-DD)|day as YYYY-MM-DD|ISO date",
    "date",
    v.date,
    "on {}|for {}|the date is {}|dated {}",
)
TIME = parameter(
    "time",
    "time at start_time hour",
    "Time (HH:MM)|24-hour time|time of day HH:MM",
    "time",
    v.time,
    "at {}|the time is {}|starting at {}|for {}",
)
AMOUNT = parameter(
    "amount",
    "amount price value sum",
    "Amount of money|the sum|amount",
    "number",
    _decimal(1, 900),
    "of {}|the amount is {}|over {}|worth {}",
)
COUNT = parameter(
    "count",
    "count quantity number amount size limit",
    "How many|number of items|quantity",
    "integer",
    _number(2, 60),
    "{} of them|the quantity is {}|exactly {}|{} in total",
)
CODE = parameter(
    "code",
    "id number reference code order_id",
    "Identifier|the id|reference number",
    "string",
    v.code_like("ID", "REF", "A"),
    "number {}|with id {}|{}|reference {}|the id is {}",
)
TITLE = parameter(
    "title",
    "title subject name topic",
    "Title|subject line|the title",
    "string",
    _quoted(lex.TOPICS, v.topic),
    "called {}|titled {}|about {}|with the title {}",
)
NOTE = parameter(
    "note",
    "note message text comment content body",
    "Text of the note|message|the text",
    "string",
    _quoted(MESSAGES, v.sentence),
    "saying {}|with the text {}|that says {}|with the message {}",
)
COLOR = parameter(
    "color", "color colour", "Color|the colour", "string", v.one_of(lex.COLORS), "in {}|make it {}|the colour is {}"
)
PHONE = parameter(
    "phone",
    "phone number phone_number",
    "Phone number|number to call",
    "string",
    v.phone,
    "at {}|on {}|the number is {}|using {}",
)
PRODUCT = parameter(
    "product",
    "product item article",
    "Product|name of the item",
    "string",
    v.product,
    "for the {}|the item is {}|namely the {}",
)
COMPANY = parameter(
    "company",
    "company client organisation vendor",
    "Company|name of the company",
    "string",
    v.company,
    "for {}|from {}|the company is {}",
)
MINUTES = parameter(
    "minutes",
    "minutes duration duration_minutes length",
    "Length in minutes|minutes",
    "integer",
    _number(2, 90),
    "for {} minutes|lasting {} minutes|{} minutes long",
)
PRIORITY = parameter(
    "priority",
    "priority urgency level",
    "Priority|how urgent",
    "string",
    _choice(("low", "low"), ("medium", "medium"), ("high", "high")),
    "with {} priority|priority {}|mark it as {} priority",
    "low|medium|high",
)
ROOM = parameter("room", "room where area", "Room|which room", "string", v.one_of(ROOMS), "in the {}|for the {}")
LANGUAGE = parameter(
    "language",
    "language target_language lang",
    "Language|target language",
    "string",
    v.one_of(LANGUAGES),
    "in {}|into {}|to {}",
)

COMPOSED_PARAMETERS = (PERSON, EMAIL, DATE, TIME, AMOUNT, COUNT, CODE, TITLE, NOTE, COLOR, PHONE, PRODUCT, COMPANY, MINUTES, PRIORITY, ROOM, LANGUAGE, CITY)  # fmt: skip

# action in the tool's name: (wordings in a request, wordings in a description)
ACTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "create": (("create", "make", "set up", "add", "open", "start", "generate", "I need", "put together"), ("Create a new", "Creates a", "Add a")),
    "delete": (("delete", "remove", "get rid of", "erase", "drop", "throw away", "discard"), ("Delete a", "Removes a", "Remove the given")),
    "find": (("find", "look up", "search for", "look for", "locate", "where is", "try to find"), ("Find a", "Search for a", "Looks up a")),
    "update": (("update", "change", "edit", "modify", "adjust", "correct", "amend"), ("Update a", "Changes a", "Edit the")),
    "send": (("send", "mail", "forward", "dispatch", "transmit", "deliver", "pass on"), ("Send a", "Sends the", "Deliver a")),
    "cancel": (("cancel", "call off", "stop", "revoke", "withdraw", "abort", "scrap"), ("Cancel a", "Cancels the", "Call off a")),
    "list": (("list", "show all", "give me all", "show me every", "list all", "display all", "enumerate all"), ("List all", "Lists every", "Show all")),
    "get": (("get", "show me", "fetch", "give me", "show", "tell me about", "what about"), ("Get a", "Returns a", "Fetch the")),
    "book": (("book", "reserve", "arrange", "schedule", "organise", "get me", "plan"), ("Book a", "Reserves a", "Make a reservation for a")),
    "print": (("print", "print out", "make a printout of", "put on paper", "run off", "print me", "output on paper"), ("Print a", "Prints the", "Send to the printer a")),
    "share": (("share", "publish", "post", "make public", "hand out", "give others access to", "circulate"), ("Share a", "Publishes the", "Share with others a")),
    "archive": (("archive", "file away", "store away", "put in the archive", "shelve", "move to the archive", "store"), ("Archive a", "Moves to the archive the", "Archive the given")),
    "approve": (("approve", "accept", "sign off", "confirm", "okay", "give the go-ahead for", "agree to"), ("Approve a", "Accepts the", "Sign off a")),
    "reject": (("reject", "decline", "turn down", "refuse", "deny", "say no to", "dismiss"), ("Reject a", "Declines the", "Turn down a")),
    "copy": (("copy", "duplicate", "clone", "make a copy of", "replicate", "double", "copy over"), ("Copy a", "Duplicates the", "Make a copy of a")),
    "download": (("download", "save", "pull down", "export", "get a file of", "fetch a copy of", "store locally"), ("Download a", "Saves the", "Export the")),
    "assign": (("assign", "hand over", "allocate", "delegate", "give responsibility for", "pass along", "hand"), ("Assign a", "Hands over the", "Give to somebody the")),
    "rate": (("rate", "review", "score", "give a rating to", "evaluate", "judge", "grade"), ("Rate a", "Gives a score to the", "Review a")),
}  # fmt: skip
OBJECTS = tuple(
    """invoice meeting appointment order ticket report contract customer account subscription reminder task project event
document contact shipment payment reservation survey newsletter campaign backup certificate voucher coupon folder playlist
photo video recipe workout lesson course exam quote offer receipt refund claim policy permit licence badge key_card locker
parcel label poster flyer budget forecast timesheet expense vacation shift team channel poll thread comment post profile
server database cluster dashboard alert webhook token domain mailbox calendar room_booking parking_spot bicycle taxi table
flight hotel_room train_ticket museum_tour concert_ticket library_card prescription lab_result vaccination referral
warranty repair complaint return supplier warehouse pallet vehicle driver route machine sensor thermostat camera""".split()
)
REQUEST_OPENERS = ("", "", "", "Please ", "Can you ", "Could you ", "I want you to ", "I'd like to ", "Would you ", "Kindly ", "Hey, ", "Go ahead and ", "Let's ")  # fmt: skip


def held_out(name: str) -> bool:
    """Whether a tool of this name serves tests only: one in eight."""
    return zlib.crc32(f"call {name}".encode()) % 8 == 0


def composed_tool(s: Source, action: str | None = None, obj: str | None = None) -> Tool:
    """A tool made of an action, an object and up to four parameters, of the split of `s`."""
    wanted = s.split == "heldout"
    for _ in range(40):
        verb = action or s.pick(tuple(ACTIONS))
        noun = obj or s.pick(OBJECTS)
        if held_out(f"{verb}_{noun}") == wanted:
            break
    name = f"{verb}_{noun}s" if verb == "list" else f"{verb}_{noun}"
    words = noun.replace("_", " ")
    plural = words + "s" if verb == "list" else words
    parameters = tuple(s.sample(COMPOSED_PARAMETERS, s.pick((0, 1, 1, 2, 2, 2, 3, 3, 4))))
    required = s.integer(0, len(parameters)) if s.chance(0.4) else len(parameters)
    about = tuple(f"{opening} {plural}." if s.chance(0.5) else f"{opening} {plural}" for opening in ACTIONS[verb][1])
    article = (
        "" if verb == "list" else s.pick(("a ", "the ", "the ", "my ", "this ", "an " if words[0] in "aeiou" else "a "))
    )
    requests = (f"{s.pick(ACTIONS[verb][0])} {article}{plural}",)
    return Tool(name, about, parameters, required, requests, composed=True)


def _tool(name: str, about: str, parameters: tuple[Parameter, ...], required: int, requests: str) -> Tool:
    return Tool(name, tuple(about.split("|")), parameters, required, lines(requests))


UNIT = parameter(
    "unit",
    "unit units",
    "Temperature unit|unit",
    "string",
    _choice(("celsius", "celsius"), ("fahrenheit", "fahrenheit")),
    "in {}",
    "celsius|fahrenheit",
)
FROM = parameter(
    "from",
    "from_currency source base",
    "Currency to convert from|source currency code",
    "string",
    _choice(
        ("dollars", "USD"),
        ("USD", "USD"),
        ("euros", "EUR"),
        ("EUR", "EUR"),
        ("pounds", "GBP"),
        ("GBP", "GBP"),
        ("yen", "JPY"),
        ("JPY", "JPY"),
        ("PLN", "PLN"),
        ("CHF", "CHF"),
    ),
)
TO = parameter(
    "to",
    "to_currency target quote",
    "Currency to convert to|target currency code",
    "string",
    _choice(
        ("SEK", "SEK"),
        ("Canadian dollars", "CAD"),
        ("CAD", "CAD"),
        ("rupees", "INR"),
        ("INR", "INR"),
        ("NOK", "NOK"),
        ("AUD", "AUD"),
        ("pesos", "MXN"),
        ("MXN", "MXN"),
    ),
)
A = parameter("a", "a x first", "First number|left operand", "number", _decimal(1, 999))
B = parameter("b", "b y second", "Second number|right operand", "number", _decimal(1, 999))
TEXT = parameter(
    "sentence", "text sentence phrase", "Text to translate|the text", "string", _quoted(SENTENCES, v.sentence)
)
QUERY = parameter(
    "query", "query q search_term keywords", "What to search for|search terms", "string", _quoted(QUERIES, _phrase)
)
SONG = parameter("song", "song track title", "Title of the song|track", "string", _quoted(SONGS, v.title))
TICKER = parameter("ticker", "symbol ticker", "Stock symbol|ticker symbol", "string", v.one_of(SYMBOLS))
ORIGIN = parameter(
    "origin", "origin from_city departure start", "City of departure|where the trip starts", "string", v.city
)
GOAL = parameter("goal", "destination to_city arrival target", "Destination|where the trip ends", "string", v.city)
GUESTS = parameter(
    "guests",
    "guests people party_size persons",
    "Number of people|how many guests",
    "integer",
    v.count(2, 12),
    "for {} people|for {}",
)
DEGREES = parameter(
    "degrees", "temperature degrees value", "Temperature in degrees|target temperature", "number", _number(15, 28)
)
STATE = parameter(
    "state", "state action mode", "on or off|new state", "string", _choice(("on", "on"), ("off", "off")), "", "on|off"
)
SECONDS = parameter(
    "percent",
    "level percent brightness volume",
    "Level in percent|percent",
    "integer",
    _number(5, 100),
    "at {} percent|to {}%",
)

COMMON_TOOLS = (
    _tool(
        "get_weather",
        "Get the weather forecast for a city|Current weather|Returns the weather",
        (CITY, DATE, UNIT),
        1,
        """
        What's the weather like in {city}?
        weather {city}
        How warm is it in {city}?
        Will it rain in {city} on {date}?
        Do I need an umbrella in {city}?
        Tell me the forecast for {city} on {date}.
        What is the temperature in {city} in {unit}?
        Is it sunny in {city}?
        Show me the weather for {city}, in {unit} please.
        How's the weather in {city} on {date}?
        Is it cold in {city} right now?
        Check the forecast in {city}.
    """,
    ),
    _tool(
        "send_email",
        "Send an e-mail|Sends a mail to an address|E-mail somebody",
        (EMAIL, TITLE, NOTE),
        1,
        """
        Send an email to {email} about {title}.
        Mail {email}: {note}
        Write to {email} with the subject {title} saying {note}.
        Email {email} that {note}.
        Please drop a mail to {email}, subject {title}.
        Shoot {email} an email saying {note}
        Compose an e-mail to {email} about {title}.
        I want to email {email}.
        Let {email} know by mail: {note}
    """,
    ),
    _tool(
        "convert_currency",
        "Convert an amount of money|Converts between currencies|Currency calculator",
        (AMOUNT, FROM, TO),
        3,
        """
        How much is {amount} {from} in {to}?
        Convert {amount} {from} to {to}.
        What are {amount} {from} worth in {to}?
        Change {amount} {from} into {to}, please.
        {amount} {from} in {to}
        I have {amount} {from}. How many {to} is that?
        Exchange {amount} {from} for {to}.
        What do I get in {to} for {amount} {from}?
    """,
    ),
    _tool(
        "add",
        "Add two numbers|Sum of two numbers|Returns a plus b",
        (A, B),
        2,
        """
        What is {a} plus {b}?
        Add {a} and {b}.
        {a} + {b}
        Sum up {a} and {b}.
        How much is {a} plus {b}?
        Calculate {a} + {b}.
        What do you get if you add {a} to... I mean {a} and {b}?
        Total of {a} and {b}?
    """,
    ),
    _tool(
        "multiply",
        "Multiply two numbers|Product of two numbers|Returns a times b",
        (A, B),
        2,
        """
        What is {a} times {b}?
        Multiply {a} by {b}.
        {a} * {b}
        {a} x {b} = ?
        What's the product of {a} and {b}?
        Calculate {a} times {b}.
        How much is {a} multiplied by {b}?
        Compute {a} * {b} please
    """,
    ),
    _tool(
        "subtract",
        "Subtract two numbers|Difference of two numbers|Returns a minus b",
        (A, B),
        2,
        """
        What is {a} minus {b}?
        {a} - {b}
        Take {b} away from {a}... that is {a} minus {b}.
        Calculate {a} minus {b}.
        What's the difference between {a} and {b}?
        How much is {a} less {b}?
        Compute {a} - {b}
    """,
    ),
    _tool(
        "divide",
        "Divide two numbers|Quotient of two numbers|Returns a divided by b",
        (A, B),
        2,
        """
        What is {a} divided by {b}?
        {a} / {b}
        Divide {a} by {b}.
        How often does... what is {a} over {b}?
        Calculate {a} divided by {b}.
        Split {a} by {b}.
        Compute {a} / {b}
    """,
    ),
    _tool(
        "translate",
        "Translate a text|Translates text into another language|Translation",
        (TEXT, LANGUAGE),
        2,
        """
        Translate "{sentence}" into {language}.
        How do you say "{sentence}" in {language}?
        What is "{sentence}" in {language}?
        Please translate '{sentence}' to {language}
        I need "{sentence}" in {language}.
        {language} for "{sentence}"?
        Put "{sentence}" into {language}.
        Give me the {language} translation of "{sentence}".
    """,
    ),
    _tool(
        "web_search",
        "Search the web|Find pages on the internet|Internet search",
        (QUERY, COUNT),
        1,
        """
        Search for {query}.
        Search the web for {query}.
        Google {query}
        Look up {query} online.
        Find me {count} pages about {query}.
        What does the internet say about {query}?
        I want to read about {query}.
        Please search {query}
    """,
    ),
    _tool(
        "play_music",
        "Play a song|Starts playing music|Play a track",
        (SONG, ROOM, SECONDS),
        1,
        """
        Play {song}.
        Play {song} in the {room}.
        I want to hear {song}.
        Put on {song}, please.
        Start {song} at {percent} percent.
        Can you play {song}?
        Let me listen to {song} in the {room}
        Play the song {song}
    """,
    ),
    _tool(
        "set_timer",
        "Set a timer|Start a countdown|Sets a kitchen timer",
        (MINUTES, TITLE),
        1,
        """
        Set a timer for {minutes} minutes.
        Wake me in {minutes} minutes.
        Timer {minutes} min
        Start a countdown of {minutes} minutes.
        Remind me in {minutes} minutes about {title}.
        {minutes} minute timer please
        Count down {minutes} minutes.
        I need a timer of {minutes} minutes
    """,
    ),
    _tool(
        "set_alarm",
        "Set an alarm|Alarm clock|Rings at a time",
        (TIME, DATE),
        1,
        """
        Set an alarm for {time}.
        Wake me up at {time}.
        Wake me at {time} on {date}.
        Alarm at {time} please.
        I have to get up at {time}.
        Ring at {time}.
        Set my alarm clock to {time} on {date}
        Please wake me at {time}
    """,
    ),
    _tool(
        "create_event",
        "Create a calendar event|Add an entry to the calendar|New appointment in the calendar",
        (TITLE, DATE, TIME, PERSON),
        2,
        """
        Put {title} in my calendar on {date} at {time}.
        Schedule a meeting about {title} on {date}.
        Create an event called {title} on {date} at {time} with {person}.
        Add {title} to the calendar for {date}.
        Meeting with {person} about {title} on {date} at {time}.
        Plan {title} for {date}, {time}.
        I have a meeting on {date} about {title}, please note it in the calendar.
        New calendar entry: {title}, {date}
    """,
    ),
    _tool(
        "get_stock_price",
        "Get the price of a share|Current stock price|Quote of a stock",
        (TICKER,),
        1,
        """
        What is the price of {ticker}?
        How is {ticker} doing?
        Stock price of {ticker}
        Give me the quote for {ticker}.
        How much is one share of {ticker}?
        {ticker} stock?
        Where does {ticker} trade right now?
        Look up the {ticker} share price
    """,
    ),
    _tool(
        "find_route",
        "Find a route between two places|Directions|Plan a trip from one city to another",
        (ORIGIN, GOAL),
        2,
        """
        How do I get from {origin} to {goal}?
        Route from {origin} to {goal}
        Show me the way from {origin} to {goal}.
        Directions from {origin} to {goal}, please.
        I want to drive from {origin} to {goal}.
        Plan a trip from {origin} to {goal}.
        What is the fastest way from {origin} to {goal}?
        Navigate from {origin} to {goal}
    """,
    ),
    _tool(
        "book_flight",
        "Book a flight|Reserve a plane ticket|Flight booking",
        (ORIGIN, GOAL, DATE, GUESTS),
        3,
        """
        Book a flight from {origin} to {goal} on {date}.
        I want to fly from {origin} to {goal} on {date}.
        Get me a plane ticket from {origin} to {goal} for {date}.
        We are {guests} people and fly from {origin} to {goal} on {date}.
        Flight {origin} to {goal}, {date}
        Reserve {guests} seats from {origin} to {goal} on {date}.
        Please book a plane from {origin} to {goal} for {date}
    """,
    ),
    _tool(
        "book_table",
        "Book a table in a restaurant|Restaurant reservation|Reserve a table",
        (GUESTS, DATE, TIME, CITY),
        1,
        """
        Book a table for {guests}.
        Reserve a table for {guests} people on {date} at {time}.
        We want to eat out with {guests} people on {date}.
        Table for {guests} at {time} in {city}
        I need a restaurant table for {guests} on {date}.
        Dinner for {guests} in {city} on {date} at {time}.
        Make a reservation for {guests} at {time}
    """,
    ),
    _tool(
        "control_light",
        "Switch a light on or off|Controls the lights|Light switch",
        (ROOM, STATE, COLOR, SECONDS),
        2,
        """
        Turn {state} the light in the {room}.
        Switch the {room} light {state}.
        Turn the lights {state} in the {room}.
        {room} light {state}
        Lights {state} in the {room}, colour {color}.
        Please switch {state} the lamp in the {room}
        Make the {room} light {color} and turn it {state}.
        Turn {state} the {room} lamp at {percent} percent.
    """,
    ),
    _tool(
        "set_temperature",
        "Set the heating|Thermostat|Set the temperature of a room",
        (DEGREES, ROOM),
        1,
        """
        Set the heating to {degrees} degrees.
        Make it {degrees} degrees in the {room}.
        Heat the {room} to {degrees}.
        I want {degrees} degrees in the {room}.
        Turn the thermostat to {degrees}.
        {room}: {degrees} degrees please
        Set {room} temperature to {degrees}
    """,
    ),
    _tool(
        "track_parcel",
        "Track a parcel|Where is a shipment|Status of a delivery",
        (CODE,),
        1,
        """
        Where is my parcel {code}?
        Track {code}.
        What happened to shipment {code}?
        Has package {code} arrived?
        Follow parcel {code} please
        When will {code} be delivered?
        Parcel status for {code}
        I'm waiting for my package, number {code}
    """,
    ),
    _tool(
        "get_order_status",
        "Status of an order|Look up an order|Returns the state of an order",
        (CODE, EMAIL),
        1,
        """
        What is the status of order {code}?
        How far is my order {code}?
        Is order {code} ready?
        Check order {code} for {email}.
        I ordered something, the number is {code}. What's going on?
        Order {code}?
        Look up order {code} please
    """,
    ),
    _tool(
        "refund_order",
        "Refund an order|Pay money back to a customer|Issue a refund",
        (CODE, AMOUNT),
        1,
        """
        Refund order {code}.
        Give the customer of order {code} {amount} back.
        Pay back {amount} for order {code}.
        I want my money back for order {code}.
        Issue a refund of {amount} on {code}.
        Please reimburse order {code}
        Return the money for {code}
    """,
    ),
    _tool(
        "call_contact",
        "Call a person on the phone|Start a phone call|Dial a contact",
        (PERSON, PHONE),
        1,
        """
        Call {person}.
        Phone {person} at {phone}.
        Ring up {person} please.
        I need to talk to {person} on the phone.
        Dial {person}, number {phone}.
        Give {person} a call
        Can you call {person}?
    """,
    ),
    _tool(
        "send_message",
        "Send a text message|SMS to a person|Text somebody",
        (PERSON, NOTE),
        2,
        """
        Text {person}: {note}
        Tell {person} "{note}".
        Message {person} saying {note}.
        Send {person} an SMS: {note}
        Write {person} a message that says {note}.
        Let {person} know: {note}
        Send a text to {person}: "{note}"
    """,
    ),
    _tool(
        "add_to_cart",
        "Add an article to the shopping cart|Put a product into the basket|Cart",
        (PRODUCT, COUNT),
        1,
        """
        Add a {product} to my cart.
        Put {count} of the {product} in the basket.
        I'd like to buy the {product}.
        Into the cart: {product}
        I take {count} pieces of {product}.
        Add {count} x {product} to the basket
        Buy a {product}
    """,
    ),
    _tool(
        "define_word",
        "Explain a word|Dictionary|Meaning of a word",
        (
            parameter(
                "word",
                "word term",
                "Word to explain|the term",
                "string",
                lambda s: v.plain(v.pseudo_word(s) if s.chance(0.5) else s.entity(lex.PRODUCT_HEADS)),
            ),
        ),
        1,
        """
        What does {word} mean?
        Define {word}.
        Meaning of {word}
        Explain the word {word}.
        What is the definition of {word}?
        Look up {word} in the dictionary.
        {word}: what is that?
    """,
    ),
    _tool(
        "get_time",
        "Current time in a city|Clock|What time it is somewhere",
        (CITY,),
        1,
        """
        What time is it in {city}?
        Time in {city}?
        How late is it in {city}?
        Tell me the local time in {city}.
        What's the clock say in {city}?
        Current time {city}
        What hour is it in {city} now?
    """,
    ),
    _tool(
        "lookup_customer",
        "Find a customer|Customer database|Look up the record of a customer",
        (PERSON, EMAIL, COMPANY),
        0,
        """
        Find the customer {person}.
        Who is the customer with the address {email}?
        Look up {person} from {company}.
        Open the customer record of {person}.
        Show me the file of {person}, {email}.
        Which customers do we have at {company}?
        Get the details of customer {person}
    """,
    ),
    _tool(
        "log_expense",
        "Record an expense|Enter costs|Note money spent",
        (AMOUNT, TITLE, DATE),
        1,
        """
        I spent {amount} on {date}.
        Record an expense of {amount} for {title}.
        Note costs of {amount}, {title}.
        Enter {amount} for {title} on {date}.
        Log an expense: {amount}
        Book {amount} as costs for {title}
        Write down that I paid {amount} for {title}.
    """,
    ),
    _tool(
        "random_number",
        "Draw a random number|Roll a die|Random number generator",
        (A, B),
        2,
        """
        Give me a random number between {a} and {b}.
        Pick a number from {a} to {b}.
        Draw a number between {a} and {b} at random.
        Random number {a} to {b}
        Choose any number from {a} up to {b}.
        Roll something between {a} and {b}
        Random: {a} - {b}
    """,
    ),
)

CHATTER = lines("""
    Hello, how are you?
    Thank you, that was all.
    Tell me a joke.
    Who wrote Hamlet?
    I am feeling a bit tired today.
    What is the meaning of life?
    Good morning!
    You are very helpful.
    Never mind, I found it myself.
    What is your name?
    Do you like music?
    Why is the sky blue?
    See you later.
    I like cats more than dogs.
    Nice weather, isn't it?
    Okay, great.
    How tall is Mount Everest?
    Write me a poem about autumn.
    Sing me a song.
    That is not what I meant.
    Who are you?
    What can you do?
    Let me think about it for a moment.
    My day was long and boring.
    Can you keep a secret?
    lol
    Which came first, the chicken or the egg?
    I wonder how penguins sleep.
""")
CLAUSES = ("{name} {}", "with {name} {}", "the {name} is {}", "{name}: {}", "{} as {name}", "use {} as the {name}", "{name} = {}", "where the {name} is {}", "({name} {})", "set the {name} to {}", "and the {name} should be {}")  # fmt: skip
_SLOT = re.compile(r"\{(\w+)\}")


FREE_TEXT = ("title", "note")
NAMELESS = ("person", "company", "city", "title", "note", "product", "room")


def allowed_requests(s: Source, tool: Tool) -> list[str]:
    """The requests of `tool` that this split may use: a held-out tool must be found by the words that it shares."""
    if s.split == "train" or tool.composed:
        return list(s.phrases(tool.requests))
    return [request for request in s.phrases(tool.requests) if names_its_tool(request, tool)]


def draw_arguments(s: Source, tool: Tool, stated: set[str]) -> dict[str, Value]:
    """Values of the parameters in `stated`; a second date or time comes after the first, and no two values are the same."""
    drawn: dict[str, Value] = {}
    last: dict[str, Value] = {}
    for item in tool.parameters:
        if item.kind not in stated:
            continue
        for _ in range(8):
            if item.type in last:
                value = (later_date if item.type == "date" else later_time)(s, str(last[item.type].json))
            else:
                value = item.draw(s)
            if all(value.json != other.json for other in drawn.values()):
                break
        drawn[item.kind] = value
        if item.type in ("date", "time"):
            last[item.type] = value
    return drawn


def state_request(s: Source, tool: Tool) -> Request:
    """A request that calls `tool`."""
    template = paraphrased(s, choose_wordings(s, s.pick(allowed_requests(s, tool))))
    drawn = draw_arguments(s, tool, set(_SLOT.findall(template)))
    text = _SLOT.sub(lambda match: drawn[match.group(1)].surface, template)
    arguments = {kind: value.json for kind, value in drawn.items()}
    if tool.composed:
        return _with_clauses(s, tool, text, arguments)
    return Request(text, arguments, template.startswith("{"), template.endswith("}"))


def _with_clauses(s: Source, tool: Tool, text: str, arguments: dict[str, object]) -> Request:
    """The request `text` followed by a clause for each stated parameter. Free text is quoted unless it comes last."""
    stated = list(tool.parameters[: tool.required])
    stated += [p for p in tool.parameters[tool.required :] if s.chance(0.5)]
    rivals = sum(p.kind in NAMELESS for p in stated)
    clauses = []
    closes = False
    order = s.shuffled(stated)
    for item in order:
        value = item.draw(s)
        arguments[item.kind] = value.json
        surface = value.surface
        closes = item is order[-1]
        if item.kind in FREE_TEXT and (not closes or s.chance(0.4)):
            surface = s.pick(('"{}"', "'{}'", "\u201c{}\u201d")).replace("{}", surface)
            closes = False
        wording = s.phrase(item.phrases)
        if s.chance(0.6 if rivals > 1 else 0.3):
            wording = s.pick(CLAUSES).replace("{name}", s.pick(item.names).replace("_", " "))
        closes = closes and wording.endswith("{}")
        clauses.append(wording.replace("{}", surface))
    joiner = s.pick((" ", " ", ", ", ", "))
    text = s.pick(REQUEST_OPENERS) + text + "".join(joiner + clause for clause in clauses)
    text = text[:1].upper() + text[1:] if s.chance(0.7) else text
    if not closes or order[-1].kind not in FREE_TEXT:
        stop = "?" if text.startswith(("Can", "Could", "Would")) else s.pick((".", "", "", "!"))
        closes = closes and not stop
        text += stop
    return Request(text, arguments, False, closes)


NAME_VERBS: dict[str, tuple[str, ...]] = {
    "create": ("create", "add", "new", "make"), "delete": ("delete", "remove", "erase"), "find": ("find", "search", "lookup"),
    "update": ("update", "edit", "change", "modify"), "send": ("send", "dispatch", "deliver"), "cancel": ("cancel", "revoke"),
    "get": ("get", "fetch", "show", "read"), "book": ("book", "reserve", "schedule"), "list": ("list", "all", "show"),
}  # fmt: skip


def alias(s: Source, name: str) -> str:
    """Another name for a tool, so that a call must copy the name from the prompt instead of composing it."""
    if s.chance(0.3):
        return name
    words = name.split("_")
    words[0] = s.pick(NAME_VERBS.get(words[0], (words[0],)))
    form = s.random.random()
    if form < 0.25:
        words = [*words[1:], words[0]]
    if form > 0.85:
        words = [*words, s.pick(("v2", "tool", "now", "api", "item", "for_user", "request", v.pseudo_word(s)))]
    if form > 0.95:
        words = [s.pick((v.pseudo_word(s), "svc", "app", "my")), *words]
    style = s.random.random()
    if style < 0.62:
        return "_".join(words)
    if style < 0.85:
        return words[0] + "".join(w.capitalize() for w in words[1:])
    return s.pick((".", "-", "_")).join(words)


THEME_ABOUT = ("Get the {theme}", "Returns the {theme}.", "Compute the {theme}", "{Theme}", "Current {theme}", "Manage the {theme}", "Everything about {theme}", "{Theme} service", "Look up the {theme} of something", "Sets the {theme}.")  # fmt: skip
THEME_REQUESTS = (
    "What is the {theme}",
    "Tell me the {theme}",
    "I'd like to know the {theme}",
    "{theme}",
    "How about the {theme}",
    "How much {theme}",
    "Do something about the {theme}",
    "Show the {theme}",
    "I need the {theme}",
    "Set the {theme}",
    "Is there any {theme}",
    "Can I have the {theme}",
    "We want {theme}",
    "Where is the {theme}",
    "Change the {theme}",
    "Give me {theme}",
    "Look at the {theme}",
)


def themed_tool(s: Source) -> Tool:
    """A tool about some two words, found by the words that a request shares with its name or description."""
    while True:
        first, second = v.free_noun(s), v.free_noun(s)
        if held_out(f"{first}_{second}") == (s.split == "heldout"):
            break
    theme = f"{first} {second}"
    name = s.pick((f"{first}_{second}", f"get_{second}", f"{second}_{first}", f"do_{first}", f"get_{first}_{second}"))
    asked = theme if s.chance(0.4) else s.pick((first, second, f"{second} of the {first}", f"{first} and {second}"))
    about = (s.pick(THEME_ABOUT).replace("{theme}", theme).replace("{Theme}", theme.capitalize()),)
    parameters = tuple(s.sample(COMPOSED_PARAMETERS, s.pick((0, 1, 1, 2, 2, 3))))
    required = s.integer(0, len(parameters))
    return Tool(name, about, parameters, required, (s.phrase(THEME_REQUESTS).replace("{theme}", asked),), composed=True)


THEMED_SHARE = 0.1
WRITTEN_SHARE = 0.75


def usable(s: Source, tools: Sequence[Tool]) -> tuple[Tool, ...]:
    """Those of the split of `s` that a request can call."""
    return tuple(t for t in tools if held_out(t.name) == (s.split == "heldout") and allowed_requests(s, t))


def written_tools(s: Source) -> tuple[Tool, ...]:
    """The hand-written tools of the split of `s`."""
    found = _WRITTEN.get(s.split)
    if found is None:
        found = _WRITTEN[s.split] = usable(s, (*COMMON_TOOLS, *sheet_tools()))
    return found


_WRITTEN: dict[str, tuple[Tool, ...]] = {}


def any_tool(s: Source) -> Tool:
    """A tool of the split of `s`: hand-written, composed or themed."""
    form = s.random.random()
    if form < THEMED_SHARE:
        return themed_tool(s)
    if form < THEMED_SHARE + WRITTEN_SHARE:
        return s.pick(written_tools(s))
    return composed_tool(s)
