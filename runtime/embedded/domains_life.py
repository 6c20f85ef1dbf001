"""Documents of everyday life: events, homes, cars, phone notes, feedback, lost things."""

from slipform.runtime.embedded import lexicon as lex
from slipform.runtime.embedded import values as v
from slipform.runtime.embedded.schema_fields import Domain, field, lines
from slipform.runtime.embedded.source import Value

EVENTS = ("concert", "reading", "flea market", "workshop", "lecture", "open day", "street party", "film night", "quiz night", "charity run", "wine tasting", "photo exhibition", "choir rehearsal", "board game evening", "book fair", "cooking class", "science slam", "bake sale", "wedding", "housewarming", "reunion", "farewell party", "yoga retreat", "job fair", "guided walk", "puppet show")  # fmt: skip
PLACES = ("town hall", "school gym", "city library", "old mill", "church", "sports hall", "community centre", "museum", "main square", "harbour", "botanical garden", "theatre", "village pub", "lecture hall A", "cinema", "riverside park", "student union", "art gallery", "fire station", "castle")  # fmt: skip
MAKES = ("Toyota", "Ford", "Volvo", "Renault", "Fiat", "Opel", "Honda", "Mazda", "Seat", "Peugeot", "Kia", "Nissan", "Audi", "Citroën", "Hyundai", "Dacia", "Suzuki", "Mini", "Saab", "Tesla", "Lexus", "Subaru")  # fmt: skip
MODELS = ("Corolla", "Focus", "Golf", "Clio", "Panda", "Astra", "Civic", "Ibiza", "Micra", "Polo", "Fiesta", "Swift", "Picanto", "Duster", "Leon", "Kona", "Yaris", "Twingo", "Impreza", "Model 3")  # fmt: skip
ANIMALS = ("cat", "dog", "parrot", "rabbit", "tortoise", "ferret", "budgie", "poodle", "terrier", "hamster", "beagle", "kitten")  # fmt: skip
MATTERS = ("the contract", "the rent", "a quote", "the broken lift", "her insurance", "the delivery", "an appointment", "the new keys", "a complaint", "his order", "the school trip", "the tax return", "a reference", "the repair", "the parking space", "an interview", "the leak", "the deposit")  # fmt: skip


def _plain_number(low: int, high: int) -> v.Draw:
    return lambda s: (lambda n: Value(str(n), n))(s.integer(low, high))


EVENT = Domain(
    "event",
    ("event notice", "invitation", "announcement", "poster", "event", "flyer"),
    (
        field(
            "event",
            "string",
            "event title event_name name what",
            "what takes place|name of the event|kind of event",
            v.one_of(EVENTS),
        ),
        field(
            "host", "string", "host organizer organiser organized_by hosted_by", "who organises it|the host", v.company
        ),
        field(
            "speaker",
            "string",
            "speaker guest performer artist presenter",
            "who speaks or performs|the main guest",
            v.person,
        ),
        field("date", "date", "date day event_date on when", "date of the event|day", v.date),
        field("start", "time", "start_time time start begins from", "when it starts (24 h)|start", v.time),
        field("end", "time", "end_time end until finishes", "when it ends (24 h)|end", v.time),
        field("place", "string", "place venue location where", "where it takes place|venue", v.one_of(PLACES)),
        field("city", "string", "city town", "city|town", v.city),
        field("entry", "amount", "entry_fee price ticket_price admission entry cost", "what a ticket costs|admission"),
        field("currency", "currency", "currency currency_code", "ISO currency code|currency"),
        field(
            "seats",
            "integer",
            "seats capacity places max_guests available_seats",
            "number of seats|how many people fit",
            v.big_count(10, 2500),
        ),
        field(
            "contact",
            "string",
            "contact contact_person register_with organizer_name",
            "who to contact|contact person",
            v.person,
        ),
        field("phone", "string", "phone telephone phone_number", "phone number|number to call", v.phone),
        field("email", "email", "email mail contact_email", "e-mail address|mail for registration", v.email),
        field("website", "string", "website url link homepage", "web site|link", v.website),
        field(
            "reply_by",
            "date",
            "reply_by rsvp_by registration_deadline deadline",
            "last day to register|reply by",
            v.date,
        ),
        field(
            "guests",
            "integer",
            "guests attendees number_of_guests people",
            "how many people come|number of guests",
            v.count(2, 12),
        ),
        field("reply", "enum", "reply", "-", concept="reply"),
    ),
    lines("""
        The {event} takes place on {date} at {start} in the {place}.
        {speaker} will perform at the {event} on {date}.
        You are invited to our {event}!
        Come to the {event} in {city}.
        On {date} there is a {event} at the {place}.
        We are having a {event} on {date}.
        {event}, {date}, {start}, {place}
        {host} invites you to a {event}.
        Don't miss the {event}.
        The next {event} is coming up.
        It is organised by {host}.
        {host} is hosting the evening.
        Organiser: {host}
        With special guest {speaker}.
        {speaker} is going to speak.
        {speaker} will give a talk.
        Speaker: {speaker}
        The date is {date}.
        Save the date: {date}!
        It is on {date} from {start} to {end}.
        We open the doors at {start}.
        It starts at {start}.
        It goes on until {end}.
        The fun ends at {end}.
        From {start} until {end}
        We meet at the {place}.
        Venue: {place}, {city}
        It takes place in the {place}.
        Place: {place}
        The whole thing is in {city}.
        Entry is {entry}.
        Tickets cost {entry}.
        Admission {entry}, children go free.
        A ticket is {entry} at the door.
        There is room for {seats} people.
        We have {seats} seats.
        Limited to {seats} guests.
        Please register with {contact}.
        For questions ask {contact} ({phone}).
        {contact} takes your bookings.
        {contact} is collecting names, call {phone}.
        Ring {phone} to book.
        Tel. {phone}
        Register at {email}.
        Sign up by writing to {email}.
        All details on {website}.
        See {website} for more.
        Please reply by {reply_by}.
        Let us know before {reply_by}.
        RSVP {reply_by}
        There will be {guests} of us.
        We are {guests} people.
        Please put us down for {guests}.
        {reply}
        {reply}
    """),
    lines("""
        Bring your own chair.
        Everybody is welcome.
        Cake and coffee will be served.
        Dress warmly.
        If it rains we go inside.
        Parking is limited, come by bus 12.
        Bring a friend.
        We look forward to seeing you.
        All proceeds go to charity.
        Dogs must stay on the lead.
    """),
)

HOME = Domain(
    "home",
    ("flat advert", "rental listing", "property listing", "housing ad", "listing", "advert"),
    (
        field("street", "string", "street address street_address location", "street|address of the flat", v.street),
        field("city", "string", "city town place", "city|town", v.city),
        field("rent", "amount", "rent monthly_rent price cold_rent rent_per_month", "monthly rent|rent"),
        field(
            "extra",
            "amount",
            "utilities heating additional_costs service_charge extras",
            "additional costs per month|heating and so on",
        ),
        field("deposit", "amount", "deposit security_deposit bond", "deposit|sum paid as security"),
        field("currency", "currency", "currency currency_code", "ISO currency code|currency"),
        field(
            "area",
            "number",
            "area area_sqm size square_metres living_space",
            "size in square metres|living space",
            v.measure(18, 240, "square metres", "m²", "sqm", "square meters"),
        ),
        field("rooms", "integer", "rooms number_of_rooms room_count", "number of rooms|rooms", v.count(1, 8)),
        field("bedrooms", "integer", "bedrooms beds bedroom_count", "number of bedrooms|bedrooms", v.count(1, 6)),
        field(
            "floor",
            "string",
            "floor storey level",
            "floor|which floor",
            v.one_of(("ground", "first", "second", "third", "fourth", "fifth", "sixth", "top", "attic", "tenth")),
        ),
        field(
            "available",
            "date",
            "available_from available move_in free_from move_in_date",
            "when it is free|first day to move in",
            v.date,
        ),
        field(
            "year",
            "integer",
            "year_built built construction_year year",
            "year it was built|construction year",
            _plain_number(1880, 2025),
        ),
        field(
            "contact",
            "string",
            "contact landlord agent owner contact_person",
            "who rents it out|contact person",
            v.person,
        ),
        field("phone", "string", "phone telephone phone_number", "phone number|number to call", v.phone),
        field("email", "email", "email mail contact_email", "e-mail address|mail", v.email),
    ),
    lines("""
        Flat for rent at {street}, {city}.
        The flat is at {street}.
        It is located at {street} in {city}.
        Lovely {rooms} room flat in {city}.
        {rooms} rooms, {area}, {rent} a month
        To let: {rooms} rooms in {city}
        The house stands in {city}.
        City: {city}
        The rent is {rent} a month.
        Rent: {rent} plus {extra} for heating.
        {rent} per month, {extra} utilities
        It costs {rent} a month.
        We ask {rent} for it each month.
        Heating is {extra} on top.
        Additional costs: {extra}.
        Utilities come to {extra}.
        Deposit {deposit}.
        A deposit of {deposit} is needed.
        Please pay a security of {deposit}.
        It has {area}.
        {area} of living space
        Size: {area}
        There are {rooms} rooms.
        With {rooms} bright rooms.
        {bedrooms} bedrooms and a kitchen.
        It has {bedrooms} bedrooms.
        Bedrooms: {bedrooms}
        It is on the {floor} floor.
        {floor} floor, no lift
        Located on the {floor} floor.
        Free from {available}.
        Available from {available}.
        You can move in on {available}.
        Vacant as of {available}
        Built in {year}.
        The building dates from {year}.
        The house was built in {year}.
        Contact {contact}, {phone}.
        Viewings with {contact}.
        The owner is {contact}.
        Please ask {contact} for a viewing.
        Landlord: {contact}
        Call {phone}.
        Tel: {phone}
        Interested? {phone}
        Write to {email}.
        E-mail {email}
        Apply with a short text to {email}.
    """),
    lines("""
        Quiet neighbours.
        With balcony.
        Pets on request.
        Shops are 3 minutes away.
        New windows.
        No smokers please.
        There is a cellar and a bike room.
        Bus stop in front of the house.
        Kitchen is fitted.
        Sunny garden for all.
    """),
)

CAR = Domain(
    "car",
    ("car advert", "car listing", "vehicle ad", "used car ad", "listing", "offer"),
    (
        field("make", "string", "make brand manufacturer car_make", "make of the car|manufacturer", v.one_of(MAKES)),
        field("model", "string", "model car_model type", "model|model of the car", v.one_of(MODELS)),
        field(
            "year",
            "integer",
            "year first_registration year_built model_year registered",
            "year of first registration|year",
            _plain_number(1985, 2026),
        ),
        field(
            "km",
            "integer",
            "mileage km kilometres mileage_km odometer",
            "mileage in km|kilometres driven",
            v.big_count(900, 320000),
        ),
        field("price", "amount", "price asking_price cost amount", "price|asking price"),
        field("currency", "currency", "currency currency_code", "ISO currency code|currency"),
        field(
            "fuel",
            "string",
            "fuel fuel_type engine",
            "fuel|kind of fuel",
            v.one_of(("diesel", "petrol", "electric", "hybrid", "LPG", "hydrogen", "natural gas", "gasoline")),
        ),
        field("color", "string", "color colour paint", "colour of the car|color", v.one_of(lex.COLORS)),
        field(
            "owners",
            "integer",
            "owners previous_owners number_of_owners",
            "number of owners|previous owners",
            v.count(1, 5),
        ),
        field(
            "power",
            "integer",
            "power_hp power horsepower hp",
            "power in hp|horsepower",
            lambda s: (lambda n: Value(f"{n}{s.pick((' ', ''))}{s.pick(('hp', 'PS', 'bhp'))}", n))(s.integer(45, 420)),
        ),
        field(
            "plate",
            "string",
            "licence_plate plate registration license_plate",
            "licence plate|registration number",
            lambda s: v.plain(
                f"{v.letters(s, s.integer(1, 3))}{s.pick((' ', '-'))}{v.letters(s, 2)}{s.pick((' ', ''))}{v.digits(s, s.integer(2, 4))}"
            ),
        ),
        field(
            "inspection",
            "date",
            "inspection next_inspection inspection_until mot_until",
            "next inspection|inspection valid until",
            v.date,
        ),
        field("seller", "string", "seller owner contact sold_by name", "who sells it|the seller", v.person),
        field("phone", "string", "phone telephone phone_number", "phone number|number to call", v.phone),
        field("city", "string", "city location place", "where the car is|city", v.city),
    ),
    lines("""
        Selling my {make} {model}.
        {make} {model}, {year}, {km} km
        {make} {model} for {price}
        For sale: {make} from {year}.
        I want to sell a {make} {model}, first registered in {year}.
        Car: {make} {model}
        It is a {make}.
        The make is {make}.
        It is the {model} model.
        Model {model}
        First registered in {year}.
        Built {year}.
        Year: {year}
        It has done {km} km.
        {km} kilometres on the clock.
        Mileage: {km}
        Driven {km} km so far.
        Price {price}.
        I am asking {price}.
        {price}, negotiable
        Yours for {price}.
        It runs on {fuel}.
        Fuel: {fuel}
        {fuel} engine with {power}.
        The engine is {fuel}.
        The colour is {color}.
        {color} paint, no scratches
        Painted {color}.
        {owners} previous owners.
        It had {owners} owners.
        Owners: {owners}
        {power}
        It has {power}.
        Power: {power}
        Licence plate {plate}.
        The plate is {plate}.
        Registration {plate}
        Inspection until {inspection}.
        The next inspection is due on {inspection}.
        Passed its inspection, valid until {inspection}.
        Call {seller} on {phone}.
        Ask for {seller}.
        Sold by {seller} in {city}.
        Contact: {seller}
        Phone {phone}
        Ring {phone} after six.
        The car is in {city}.
        You can see it in {city}.
        Location: {city}
    """),
    lines("""
        No accidents.
        Winter tyres included.
        Serviced every year.
        Air conditioning works.
        Small dent in the rear door.
        Test drive possible.
        Only for collection.
        Always kept in a garage.
        Radio with bluetooth.
        Tank holds 45 litres.
    """),
)

NOTE = Domain(
    "note",
    ("phone note", "call note", "memo", "message", "note", "voicemail transcript"),
    (
        field("caller", "string", "caller name from who person called_by", "who called|name of the caller", v.person),
        field("company", "string", "company firm organisation caller_company", "company of the caller|firm", v.company),
        field(
            "phone",
            "string",
            "phone callback_number number telephone call_back",
            "number to call back|phone number",
            v.phone,
        ),
        field(
            "matter",
            "string",
            "about matter subject reason topic",
            "what it is about|reason for the call",
            v.one_of(MATTERS),
        ),
        field(
            "for_whom",
            "string",
            "for recipient to addressee for_whom",
            "who the message is for|addressee",
            v.given_name,
        ),
        field("date", "date", "date day call_date", "date of the call|day", v.date),
        field("time", "time", "time call_time at", "time of the call (24 h)|time", v.time),
        field("deadline", "date", "call_back_by deadline by until", "call back by|deadline", v.date),
        field(
            "reference",
            "string",
            "reference contract_number customer_number case_number file_number",
            "reference number|contract or customer number",
            v.code_like("K", "C", "V", "CASE"),
        ),
        field("amount", "amount", "amount sum offer price", "sum mentioned|amount of money"),
        field("currency", "currency", "currency currency_code", "ISO currency code|currency"),
        field("city", "string", "city place from_city", "where the caller is|city", v.city),
        field("urgency", "enum", "urgency", "-", concept="urgency"),
        field("sentiment", "enum", "sentiment", "-", concept="sentiment"),
        field("category", "enum", "category", "-", concept="category"),
    ),
    lines("""
        {category}
        {caller} called about {matter}.
        {caller} from {company} rang about {matter}.
        {time}: {caller} phoned, wants a call back on {phone}.
        Message for {for_whom}: {caller} called.
        {for_whom}, please call {caller} back.
        Hello, this is {caller} speaking.
        Call from {caller}, {company}, on {date} at {time}.
        A certain {caller} rang.
        {caller} left a message.
        The caller works for {company}.
        I'm calling from {company}.
        Company: {company}
        Number {phone}.
        Call back: {phone}
        Please call me back on {phone}.
        You can get me at {phone}.
        It is about {matter}.
        It concerns {matter}.
        Subject: {matter}
        I wanted to talk about {matter}.
        This is for {for_whom}.
        Please pass it on to {for_whom}.
        Hi {for_whom}!
        The call came on {date}.
        Called on {date} at {time}.
        Date: {date}
        It was {time} when the phone rang.
        Time of call: {time}
        Call back before {deadline}.
        An answer is needed by {deadline}.
        I need to know by {deadline}.
        Customer number {reference}.
        The contract is {reference}.
        Case {reference}
        File no. {reference}
        The offer is {amount}.
        It is about a sum of {amount}.
        We talked about {amount}.
        Calling from {city}.
        The caller is in {city}.
        I am in {city} at the moment.
        {urgency}
        {urgency}
        {sentiment}
    """),
    lines("""
        The line was bad.
        I could not understand everything.
        She will try again.
        He sounded friendly.
        I promised to pass it on.
        No further details.
        Third call of the day.
        I was out for lunch.
        The answering machine was full.
        There was a lot of noise in the background.
    """),
)

CLAIM = Domain(
    "claim",
    ("warranty claim", "claim", "damage report", "lost and found notice", "report", "form"),
    (
        field("name", "string", "name claimant reporter reported_by customer owner", "who reports it|name", v.person),
        field("thing", "string", "product item device article object", "what it is about|the product", v.product),
        field("brand", "string", "brand maker manufacturer", "brand|maker", v.brand),
        field(
            "serial",
            "string",
            "serial_number serial sn device_id",
            "serial number|number on the device",
            v.code_like("SN", "S", "WP", "XR"),
        ),
        field(
            "bought", "date", "purchase_date bought_on date_of_purchase", "date of purchase|when it was bought", v.date
        ),
        field("shop", "string", "shop store bought_at retailer dealer", "where it was bought|the shop", v.company),
        field(
            "damage_date",
            "date",
            "damage_date date_of_damage incident_date happened_on lost_on",
            "when it happened|date of the damage",
            v.date,
        ),
        field("place", "string", "place location where found_at", "where it happened|place", v.one_of(PLACES)),
        field("cost", "amount", "cost repair_cost damage amount value", "cost of the repair|value of the damage"),
        field("currency", "currency", "currency currency_code", "ISO currency code|currency"),
        field(
            "policy",
            "string",
            "policy_number policy insurance_number contract",
            "policy number|insurance number",
            v.code_like("POL", "V", "VS"),
        ),
        field("witness", "string", "witness witness_name seen_by", "who saw it|witness", v.person),
        field("reward", "amount", "reward finders_fee", "reward for the finder|reward"),
        field("urgency", "enum", "urgency", "-", concept="urgency"),
        field("animal", "string", "animal pet species kind", "which animal|kind of animal", v.one_of(ANIMALS)),
        field("pet", "string", "pet_name called answers_to", "name of the animal|what it is called", v.given_name),
        field("color", "string", "color colour", "colour|color", v.one_of(lex.COLORS)),
        field("phone", "string", "phone telephone phone_number", "phone number|number to call", v.phone),
        field("email", "email", "email mail email_address", "e-mail address|mail", v.email),
    ),
    lines("""
        My {thing} from {brand} is broken.
        The {thing} I bought at {shop} on {bought} no longer works.
        My {thing} (serial number {serial}) stopped working on {damage_date}.
        I, {name}, report damage to my {thing}.
        Claim by {name}
        Name: {name}
        {name} reported the damage.
        {name} has lost a {thing}.
        My {thing} was stolen at the {place}.
        It is about a {thing}.
        The {thing} is damaged.
        My {thing} leaks.
        It was made by {brand}.
        The brand is {brand}.
        Serial number {serial}
        S/N: {serial}
        The number on the back is {serial}.
        Bought at {shop}.
        I got it from {shop}.
        The shop was {shop}.
        Purchased {bought} at {shop}.
        I bought it on {bought}.
        Bought on {bought}
        It happened on {damage_date}.
        On {damage_date} it fell down.
        Date of damage: {damage_date}
        It was lost on {damage_date} near the {place}.
        Last seen at the {place} on {damage_date}.
        It happened at the {place}.
        Place: {place}
        The repair costs {cost}.
        The damage is about {cost}.
        Value: {cost}
        My policy number is {policy}.
        Insured under {policy}.
        Policy {policy}
        {witness} saw it happen.
        Witness: {witness}
        My neighbour {witness} was there.
        There is a reward of {reward}.
        The finder gets {reward}.
        Reward: {reward}
        Missing: a {color} {animal} called {pet}.
        Our {animal} {pet} has run away.
        Lost {animal}
        It is a {animal}.
        It answers to {pet}.
        The name is {pet}.
        It is {color}.
        Colour: {color}
        Please call {phone}.
        Tel. {phone}
        Information to {phone} or {email}.
        {urgency}
        Write to {email}.
        E-mail: {email}
    """),
    lines("""
        Photos are attached.
        I still have the receipt.
        It was not my fault.
        Nobody was hurt.
        We miss it a lot.
        The police have been informed.
        Please advise what to do.
        It was raining heavily.
        I filled in page 2 as well.
        We searched everywhere.
    """),
)
