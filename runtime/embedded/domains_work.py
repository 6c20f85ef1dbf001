"""Documents of working life: meetings, job adverts, server logs, appointments, bookings, introductions."""

from slipform.runtime.embedded import lexicon as lex
from slipform.runtime.embedded import values as v
from slipform.runtime.embedded.schema_fields import Domain, field, lines
from slipform.runtime.embedded.source import Value

MEETING = Domain(
    "meeting",
    ("meeting notes", "minutes", "meeting summary", "notes", "protocol", "invitation"),
    (
        field(
            "topic",
            "string",
            "topic subject title agenda meeting_topic about",
            "what the meeting is about|subject of the meeting|topic",
            v.topic,
        ),
        field("date", "date", "date meeting_date held_on day", "date of the meeting|when it took place", v.date),
        field(
            "start",
            "time",
            "start start_time time begins_at from",
            "start of the meeting|when it begins (24 h)|starting time",
            v.time,
        ),
        field(
            "room",
            "string",
            "room place location venue meeting_room",
            "where it takes place|room",
            lambda s: v.plain(
                s.pick(
                    (
                        f"Room {s.integer(1, 420)}",
                        f"room {s.pick('ABCDE')}{s.integer(1, 30)}",
                        f"the {s.entity(lex.COMPANY_WORDS)} room",
                        "the canteen",
                        f"conference room {s.integer(1, 12)}",
                        f"{s.entity(lex.CITIES)}",
                    )
                )
            ),
        ),
        field(
            "attendees",
            "strings",
            "attendees participants present people members",
            "who was there|people in the meeting|names of the participants",
            v.people,
        ),
        field(
            "chair",
            "string",
            "chair organizer host chairperson led_by moderator",
            "who led the meeting|the host",
            v.person,
        ),
        field(
            "owner",
            "string",
            "owner assignee responsible action_owner assigned_to",
            "who does the task|person responsible",
            v.person,
        ),
        field(
            "task", "string", "task action_item action todo next_step", "what has to be done|the action item", v.task
        ),
        field(
            "deadline",
            "date",
            "deadline due_date due until task_deadline",
            "when the task must be done|deadline",
            v.date,
        ),
        field(
            "next_meeting",
            "date",
            "next_meeting next_date follow_up next_meeting_date",
            "date of the next meeting|when they meet again",
            v.date,
        ),
        field("budget", "amount", "budget approved_budget amount cost", "money that was approved|budget"),
        field("currency", "currency", "currency currency_code", "ISO currency code|currency"),
        field(
            "duration",
            "integer",
            "duration_minutes duration length_minutes minutes",
            "length in minutes|duration in minutes",
            lambda s: (lambda n: Value(f"{n} {s.pick(('minutes', 'min'))}", n))(
                s.pick((15, 20, 25, 30, 40, 45, 50, 60, 75, 90, 120))
            ),
        ),
        field(
            "votes",
            "integer",
            "votes votes_for in_favour yes_votes",
            "votes in favour|how many voted yes",
            v.count(2, 40),
        ),
    ),
    lines("""
        Topic: {topic}
        We talked about {topic}.
        The meeting was about {topic}.
        Main point: {topic}.
        Meeting on {topic}, {date}
        On {date} we met to discuss {topic}.
        The team met on {date} at {start} in {room}.
        Date: {date}, {start}
        The meeting took place on {date}.
        Held on {date}.
        We met on {date}.
        It starts at {start}.
        We begin at {start} sharp.
        Start: {start}.
        {start} in {room}
        Where: {room}.
        We sat in {room}.
        The place is {room}.
        Present: {attendees}.
        {attendees} took part.
        Attendees: {attendees}
        The following people came: {attendees}.
        With {attendees}.
        Participants were {attendees}.
        {chair} led the meeting.
        Chaired by {chair}.
        {chair} opened the meeting at {start}.
        Host: {chair}
        The meeting was called by {chair}.
        {owner} will {task} by {deadline}.
        {owner} will {task}.
        Action: {owner} to {task}.
        {owner} agreed to {task} before {deadline}.
        It is up to {owner} to {task}.
        Somebody has to {task} until {deadline}.
        We decided to {task}.
        Next step: {task}.
        To do: {task} ({owner})
        Responsible: {owner}.
        {owner} takes care of it.
        The deadline is {deadline}.
        It has to be done by {deadline}.
        Due {deadline}.
        We meet again on {next_meeting}.
        Next meeting: {next_meeting}.
        The follow-up is on {next_meeting}.
        See you all on {next_meeting}.
        A budget of {budget} was approved.
        We may spend {budget}.
        The budget is {budget}.
        Costs are estimated at {budget}.
        It took {duration}.
        Duration: {duration}.
        The meeting lasted {duration}.
        Plan for {duration}.
        {votes} people voted in favour.
        The proposal passed with {votes} votes.
        In favour: {votes}.
    """),
    lines("""
        Coffee was served.
        The projector did not work at first.
        There was a lively debate.
        Nothing else was decided.
        Slides are on the shared drive.
        The last minutes were approved.
        Some people joined by video.
        We ran out of time for point 5.
        Thanks to all who came.
        Any other business: none.
        We skipped item 3.
    """),
)

JOB = Domain(
    "job",
    ("job advert", "job posting", "vacancy", "job ad", "job offer"),
    (
        field(
            "title",
            "string",
            "title job_title position role job",
            "title of the job|the position|job title",
            lambda s: v.plain(s.pick(lex.JOB_LEVELS) + s.entity(lex.JOB_TITLES)),
        ),
        field(
            "company",
            "string",
            "company employer company_name organisation hiring_company",
            "who is hiring|the employer",
            v.company,
        ),
        field(
            "city",
            "string",
            "location city place workplace_city job_location",
            "where the job is|place of work|city",
            v.city,
        ),
        field(
            "salary_min",
            "amount",
            "salary_min min_salary salary_from minimum_salary",
            "lower end of the pay|lowest salary",
        ),
        field(
            "salary_max",
            "amount",
            "salary_max max_salary salary_to maximum_salary",
            "upper end of the pay|highest salary",
        ),
        field(
            "currency", "currency", "currency currency_code salary_currency", "ISO currency code|currency of the salary"
        ),
        field(
            "skills",
            "strings",
            "skills requirements required_skills qualifications must_haves",
            "skills asked for|what applicants must know",
            v.list_of(lex.SKILLS, 2, 5),
        ),
        field(
            "years",
            "integer",
            "years_experience experience min_years years_of_experience",
            "years of experience|experience needed in years",
            v.count(1, 12),
        ),
        field(
            "start", "date", "start_date start starting_date begins", "first day of work|when the job starts", v.date
        ),
        field(
            "deadline",
            "date",
            "deadline apply_by application_deadline closing_date",
            "last day to apply|deadline for applications",
            v.date,
        ),
        field(
            "contact",
            "string",
            "contact contact_person recruiter hr_contact",
            "who to contact|person for questions",
            v.person,
        ),
        field(
            "email",
            "email",
            "email apply_to contact_email application_email",
            "where to apply|e-mail for applications",
            v.email,
        ),
        field(
            "vacation",
            "integer",
            "vacation_days holidays paid_leave days_off",
            "days of holiday|holiday per year",
            lambda s: v.count(20, 38)(s),
        ),
        field(
            "team",
            "integer",
            "team_size team number_of_colleagues",
            "size of the team|how many people in the team",
            v.count(3, 60),
        ),
        field(
            "ref",
            "string",
            "reference job_id ref reference_number",
            "reference number of the advert|id of the vacancy",
            v.code_like("REF", "JOB", "HR"),
        ),
        field("mode", "enum", "mode", "-", concept="workplace"),
        field("employment", "enum", "employment", "-", concept="employment"),
    ),
    lines("""
        {company} is looking for a {title} in {city}.
        We are hiring: {title}
        {title} wanted!
        Wanted: {title} ({city})
        Join {company} as a {title}.
        Position: {title}
        {company} needs a {title}.
        Become our new {title}!
        We want to fill the role of {title}.
        {company} is a growing firm.
        {company} offers you a secure future.
        About us: {company} was founded long ago.
        Employer: {company}
        The job is in {city}.
        Place of work: {city}.
        Our office is in the heart of {city}.
        Based in {city}
        The salary is between {salary_min} and {salary_max}.
        You earn {salary_min} to {salary_max} a year.
        Pay: {salary_min} - {salary_max}
        We pay at least {salary_min}.
        Salary from {salary_min}.
        Up to {salary_max} a year.
        You can earn as much as {salary_max}.
        You know {skills}.
        Requirements: {skills}.
        You bring {skills}.
        We expect skills in {skills}.
        You should be good at {skills}.
        At least {years} years of experience.
        {years} years in a similar job are a must.
        You have worked in the field for {years} years.
        Experience: {years}+ years.
        Start: {start}.
        The job starts on {start}.
        You begin on {start}.
        Apply by {deadline}.
        Applications close on {deadline}.
        Please send your CV before {deadline}.
        Closing date {deadline}.
        Apply to {contact} at {email}.
        Your contact is {contact}.
        {contact} is happy to answer questions.
        Questions? Ask {contact}.
        Send your application to {email}.
        Apply: {email}
        CV to {email} please.
        {vacation} days of holiday.
        You get {vacation} vacation days.
        Enjoy {vacation} days off each year.
        You will work in a team of {team}.
        Our team has {team} people.
        {team} colleagues look forward to meeting you.
        Reference {ref}.
        Please quote {ref} when you apply.
        Job id: {ref}
        {mode}
        {mode}
        {employment}
        {employment}
    """),
    lines("""
        Free fruit and drinks.
        We value diversity.
        No cover letter needed.
        You are curious and reliable.
        The interview takes place online.
        We welcome people of all ages.
        Modern equipment is a given.
        Public transport is 5 minutes away.
        You like working with others.
        We offer training and growth.
    """),
)

LOG = Domain(
    "log",
    ("log line", "server log", "log excerpt", "log entry", "system message"),
    (
        field(
            "service",
            "string",
            "service component source app module logger",
            "service that wrote the line|component",
            v.one_of(lex.SERVICES),
        ),
        field(
            "host",
            "string",
            "host server hostname node machine",
            "machine|name of the server",
            lambda s: v.plain(
                s.pick(
                    (
                        f"web-{s.integer(1, 40):02}",
                        f"db{s.integer(1, 9)}",
                        f"node-{s.integer(1, 99)}",
                        f"{v.pseudo_word(s)}-{s.integer(1, 30)}",
                        f"srv{v.digits(s, 3)}",
                        f"ip-10-0-{s.integer(1, 250)}-{s.integer(1, 250)}",
                    )
                )
            ),
        ),
        field(
            "date",
            "date",
            "date day log_date",
            "date of the entry|day",
            lambda s: (lambda d: Value(d.isoformat(), d.isoformat()))(v.calendar_day(s)),
        ),
        field(
            "time",
            "string",
            "time time_of_day logged_at",
            "time of the entry|time as written",
            lambda s: v.plain(f"{s.integer(0, 23):02}:{s.integer(0, 59):02}:{s.integer(0, 59):02}"),
        ),
        field(
            "ip",
            "string",
            "ip ip_address client_ip remote_addr address",
            "IP address|address of the client",
            v.ip_address,
        ),
        field(
            "user",
            "string",
            "user username user_id login account",
            "user name|who did it",
            lambda s: v.plain(
                s.pick(
                    (
                        s.entity(lex.FIRST_NAMES).lower(),
                        v.pseudo_word(s),
                        f"u{v.digits(s, 4)}",
                        f"{v.pseudo_word(s)}_{s.integer(1, 99)}",
                        "root",
                        "admin",
                        "deploy",
                    )
                )
            ),
        ),
        field(
            "status",
            "integer",
            "status status_code http_status code response_code",
            "HTTP status code|status code",
            lambda s: (lambda n: Value(str(n), n))(
                s.pick((200, 201, 204, 301, 302, 400, 401, 403, 404, 409, 429, 500, 502, 503, 504))
            ),
        ),
        field(
            "latency",
            "number",
            "latency_ms duration_ms duration response_time elapsed_ms",
            "duration in milliseconds|how long it took in ms",
            v.measure(1, 9000, "ms", "ms", "msec"),
        ),
        field("path", "string", "path url endpoint route request_path", "requested path|URL path", v.url_path),
        field(
            "method",
            "string",
            "method http_method verb",
            "HTTP method|verb",
            v.one_of(("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")),
        ),
        field(
            "request_id",
            "string",
            "request_id trace_id correlation_id req_id id",
            "id of the request|trace id",
            lambda s: v.plain("".join(s.pick("0123456789abcdef") for _ in range(s.pick((6, 8, 12))))),
        ),
        field(
            "pid",
            "integer",
            "pid process_id process",
            "process id|number of the process",
            lambda s: (lambda n: Value(str(n), n))(s.integer(100, 65000)),
        ),
        field(
            "retries",
            "integer",
            "retries attempts retry_count attempt",
            "number of attempts|retries",
            lambda s: (lambda n: Value(str(n), n))(s.integer(1, 9)),
        ),
        field(
            "version",
            "string",
            "version release build",
            "version|software version",
            lambda s: v.plain(f"{s.pick(('', 'v'))}{s.integer(0, 12)}.{s.integer(0, 30)}.{s.integer(0, 20)}"),
        ),
        field(
            "port",
            "integer",
            "port tcp_port",
            "port|port number",
            lambda s: (lambda n: Value(str(n), n))(
                s.pick((80, 443, 8080, 5432, 6379, 3000, 9200, s.integer(1024, 65000)))
            ),
        ),
        field("level", "enum", "level", "-", concept="log_level"),
    ),
    lines("""
        {date} {time} {service}[{pid}]: {level}
        {date}T{time} {host} {service}: {level}
        [{date} {time}] {service} {level} user={user} ip={ip}
        {date} {time}
        {date}T{time}Z
        {time} {service}
        [{time}]
        [{date}]
        {service}[{pid}]
        service={service}
        ({service})
        <{service}>
        host={host}
        on {host}
        node {host}
        pid={pid}
        process {pid}
        {method} {path} {status} {latency}
        {method} {path} -> {status} in {latency}
        "{method} {path} HTTP/1.1" {status}
        {ip} - {user} "{method} {path}" {status}
        path={path}
        requested {path}
        method={method}
        via {method}
        status={status}
        returned {status}
        HTTP {status}
        took {latency}
        latency={latency}
        after {latency}
        client={ip}
        from {ip}
        ip={ip}
        connection from {ip} port {port}
        port {port}
        port={port}
        user={user}
        for user {user}
        login by {user} from {ip}
        request_id={request_id}
        [req {request_id}]
        trace {request_id}
        retry {retries}
        attempts={retries}
        after {retries} attempts
        version {version}
        running {version}
        build={version}
        {level}
        {level}
        msg="{level}"
    """),
    lines("""
        thread=main
        cache=hit
        queue=default
        bytes=2048
        region=eu-west-1
        env=prod
        tls=1.3
        keepalive
        gc pause 12
        worker 3 idle
    """),
)

APPOINTMENT = Domain(
    "appointment",
    ("appointment note", "medical note", "appointment", "clinic message", "doctor's note", "reminder"),
    (
        field(
            "patient",
            "string",
            "patient patient_name name full_name client",
            "name of the patient|the patient",
            v.person,
        ),
        field(
            "doctor",
            "string",
            "doctor physician doctor_name practitioner with",
            "the doctor|name of the doctor",
            v.doctor,
        ),
        field(
            "date", "date", "date appointment_date day visit_date", "date of the appointment|day of the visit", v.date
        ),
        field(
            "time",
            "time",
            "time appointment_time start_time at hour",
            "time of the appointment (24 h)|when it starts",
            v.time,
        ),
        field(
            "specialty",
            "string",
            "specialty department field speciality clinic",
            "medical field|department",
            v.one_of(lex.SPECIALTIES),
        ),
        field(
            "symptom",
            "string",
            "symptom reason complaint symptoms reason_for_visit",
            "what the patient complains of|reason for the visit",
            v.one_of(lex.SYMPTOMS),
        ),
        field(
            "medicine",
            "string",
            "medication medicine drug prescription prescribed",
            "medicine prescribed|name of the drug",
            v.one_of(lex.MEDICINES),
        ),
        field(
            "dose",
            "number",
            "dose_mg dose dosage_mg strength_mg",
            "dose in mg|strength in milligrams",
            lambda s: (lambda n: Value(f"{n}{s.pick((' ', ''))}mg", v.Decimal(str(n))))(
                s.pick((5, 10, 20, 25, 40, 50, 75, 100, 200, 250, 400, 500, 600, 850, 1000))
            ),
        ),
        field(
            "times_a_day",
            "integer",
            "times_per_day times_a_day frequency doses_per_day",
            "how often per day|doses per day",
            v.count(1, 4),
        ),
        field(
            "age",
            "integer",
            "age patient_age years_old",
            "age of the patient|age in years",
            lambda s: (lambda n: Value(str(n), n))(s.integer(18, 95)),
        ),
        field(
            "birthday",
            "date",
            "date_of_birth birthday dob born birth_date",
            "date of birth|birthday of the patient",
            lambda s: (lambda d: Value(v.write_date(s, d), d.isoformat()))(
                v.calendar_day(s).replace(year=s.integer(1932, 2017), day=s.integer(1, 28))
            ),
        ),
        field("phone", "string", "phone phone_number telephone contact", "phone number|number to call", v.phone),
        field(
            "room",
            "string",
            "room exam_room room_number",
            "room|where to go",
            lambda s: v.plain(f"{s.pick(('', 'Room ', 'room '))}{s.integer(1, 480)}{s.pick(('', '', 'B'))}"),
        ),
        field(
            "follow_up",
            "date",
            "follow_up next_appointment next_visit follow_up_date",
            "date of the next visit|follow-up",
            v.date,
        ),
        field(
            "insurance",
            "string",
            "insurance_number insurance_id insurance policy_number",
            "insurance number|policy number",
            v.code_like("K", "A", "POL"),
        ),
        field(
            "weight",
            "number",
            "weight_kg weight",
            "weight in kg|weight of the patient",
            v.measure(45, 120, "kg", "kilos"),
        ),
    ),
    lines("""
        Patient: {patient}
        {patient} came in with {symptom}.
        {patient} has an appointment with {doctor} on {date} at {time}.
        Dear {patient}, your appointment is on {date}.
        The patient is {patient}, born {birthday}.
        {patient}, {age} years old, complains of {symptom}.
        This is a reminder for {patient}.
        We expect {patient} at {time}.
        Name: {patient}.
        Appointment with {doctor} in {specialty}.
        {doctor} will see you.
        Your doctor is {doctor}.
        Seen by {doctor}.
        Referred to {doctor}.
        The appointment is on {date}.
        Date of visit: {date}.
        Visit on {date} at {time}.
        Come in on {date}, please.
        Time: {time}.
        Please be there at {time}.
        It begins at {time}.
        Department of {specialty}.
        Go to {specialty}.
        The specialty is {specialty}.
        Reason: {symptom}.
        Complains of {symptom}.
        Suffers from {symptom}.
        The reason for the visit is {symptom}.
        {doctor} prescribed {medicine} {dose}.
        Take {medicine} {dose} {times_a_day} times a day.
        Prescribed: {medicine}.
        Started on {medicine}.
        Continue with {medicine}.
        The dose is {dose}.
        Dosage: {dose}.
        {times_a_day} times a day.
        To be taken {times_a_day} times per day.
        Age {age}.
        The patient is {age} years old.
        {age} years of age
        Date of birth: {birthday}.
        Born on {birthday}.
        DOB {birthday}
        Phone {phone}.
        Call {phone} to change the date.
        The patient can be reached at {phone}.
        Please go to room {room}.
        Where: {room}.
        Room: {room}
        Next visit on {follow_up}.
        Follow-up: {follow_up}.
        Come back on {follow_up}.
        We want to see you again on {follow_up}.
        Insurance no. {insurance}.
        The insurance number is {insurance}.
        Insured under {insurance}.
        Weight {weight}.
        Weighs {weight}.
        The patient's weight is {weight}.
    """),
    lines("""
        Please arrive 10 minutes early.
        Bring your insurance card.
        No known allergies.
        Blood pressure 120/80.
        Please come with an empty stomach.
        The patient feels well otherwise.
        Non-smoker.
        Parking is behind the building.
        Cancel 24 hours in advance.
        No fever.
    """),
)

BOOKING = Domain(
    "booking",
    ("booking confirmation", "reservation", "travel booking", "booking", "itinerary", "ticket"),
    (
        field(
            "guest",
            "string",
            "guest name guest_name passenger traveller booked_by",
            "name of the guest|who travels|the passenger",
            v.person,
        ),
        field(
            "hotel",
            "string",
            "hotel venue hotel_name accommodation property",
            "name of the hotel|where they stay",
            lambda s: v.plain(
                s.pick(
                    (
                        f"Hotel {s.entity(lex.COMPANY_WORDS)}",
                        f"{s.entity(lex.COMPANY_WORDS)} Inn",
                        f"The {s.entity(lex.COMPANY_WORDS)}",
                        f"Hotel {v.pseudo_word(s).capitalize()}",
                        f"{s.entity(lex.COMPANY_WORDS)} {s.pick(('Resort', 'Lodge', 'Suites', 'Guesthouse'))}",
                    )
                )
            ),
        ),
        field("city", "string", "city destination place location", "city of the stay|destination", v.city),
        field(
            "origin",
            "string",
            "origin from departure_city departure start_city",
            "where the trip starts|city of departure",
            v.city,
        ),
        field(
            "arrival", "date", "check_in arrival_date arrival start_date from_date", "first day|day of arrival", v.date
        ),
        field(
            "departure",
            "date",
            "check_out departure_date leave_on end_date to_date",
            "last day|day of departure",
            v.date,
        ),
        field("time", "time", "time departure_time check_in_time start_time", "time of departure|time (24 h)", v.time),
        field(
            "nights",
            "integer",
            "nights number_of_nights length_of_stay",
            "number of nights|how many nights",
            v.count(1, 21),
        ),
        field(
            "guests",
            "integer",
            "guests people party_size number_of_guests persons",
            "number of people|how many guests",
            v.count(1, 12),
        ),
        field("price", "amount", "price total cost amount total_price", "price of the booking|total price"),
        field("currency", "currency", "currency currency_code", "ISO currency code|currency"),
        field(
            "reference",
            "string",
            "booking_id reference confirmation_code booking_number reservation_number",
            "booking number|confirmation code",
            v.code_like("BK", "RES", "CNF"),
        ),
        field(
            "flight",
            "string",
            "flight flight_number train service_number",
            "flight number|number of the flight",
            lambda s: v.plain(f"{v.letters(s, 2)}{s.pick(('', ' '))}{s.integer(10, 9999)}"),
        ),
        field(
            "seat",
            "string",
            "seat seat_number place_number",
            "seat|number of the seat",
            lambda s: v.plain(f"{s.integer(1, 60)}{s.pick('ABCDEF')}"),
        ),
        field("sentiment", "enum", "sentiment", "-", concept="sentiment"),
        field(
            "room_type",
            "string",
            "room_type room category",
            "kind of room|room category",
            v.one_of(
                (
                    "single room",
                    "double room",
                    "twin room",
                    "family room",
                    "suite",
                    "junior suite",
                    "studio",
                    "dormitory bed",
                    "penthouse",
                    "sea view room",
                    "deluxe room",
                    "economy room",
                )
            ),
        ),
        field("phone", "string", "phone phone_number contact telephone", "phone number|number to call", v.phone),
        field("email", "email", "email contact_email mail", "e-mail address|mail", v.email),
    ),
    lines("""
        Booking confirmed for {guest}.
        Dear {guest}, we look forward to your stay at {hotel}.
        {guest} booked a {room_type} at {hotel}.
        Guest: {guest}
        Passenger {guest}, seat {seat}
        Reserved for {guest}, {guests} people.
        The booking is in the name of {guest}.
        {guest} flies from {origin} to {city} on {arrival}.
        You stay at {hotel} in {city}.
        Hotel: {hotel}
        We booked you into {hotel}.
        {hotel} welcomes you.
        Your trip to {city} is booked.
        Destination: {city}.
        You travel to {city}.
        From {origin} to {city}
        You leave from {origin}.
        Departure city {origin}.
        Check-in: {arrival}, check-out: {departure}.
        You arrive on {arrival}.
        Arrival {arrival}
        From {arrival} to {departure}
        Check-in is on {arrival}.
        You leave on {departure}.
        Departure on {departure}.
        Check-out {departure}.
        Departure time {time}.
        It leaves at {time}.
        Be there at {time}.
        {nights} nights
        You stay for {nights} nights.
        A stay of {nights} nights.
        {nights} nights for {guests} guests
        For {guests} people.
        Number of guests: {guests}.
        A table for {guests}.
        The price is {price}.
        Total: {price}.
        You pay {price} on arrival.
        It costs {price} all in.
        Your booking number is {reference}.
        Confirmation code: {reference}.
        Reference {reference}
        Flight {flight}
        The flight number is {flight}.
        You are on {flight}, seat {seat}.
        Seat {seat}.
        Your seat: {seat}
        A {room_type} awaits you.
        Room type: {room_type}.
        You have a {room_type}.
        Call us at {phone}.
        Phone: {phone}
        Our number is {phone}.
        Mail to {email}.
        Questions: {email}
        You can write to {email} for changes.
        {sentiment}
    """),
    lines("""
        Breakfast is included.
        Free cancellation up to 48 hours before.
        Have a nice trip!
        Please bring your passport.
        Pets are welcome.
        The bar is open until 11.
        Luggage: 1 bag of 23 kg.
        Non-smoking.
        Wifi is free.
        We wish you a pleasant journey.
    """),
)

PERSON = Domain(
    "person",
    ("introduction", "profile", "biography", "text", "paragraph", "message"),
    (
        field("name", "string", "name full_name person person_name who", "name of the person|full name", v.person),
        field(
            "age",
            "integer",
            "age years_old age_years",
            "age|age in years",
            lambda s: (lambda n: Value(str(n), n))(s.integer(18, 90)),
        ),
        field(
            "job",
            "string",
            "job occupation profession job_title role",
            "what the person does|profession",
            lambda s: v.plain(s.entity(lex.JOB_TITLES).lower() if s.chance(0.6) else s.entity(lex.JOB_TITLES)),
        ),
        field("company", "string", "company employer workplace works_at", "where the person works|employer", v.company),
        field(
            "city", "string", "city lives_in hometown residence location", "where the person lives|home city", v.city
        ),
        field("country", "string", "country nationality home_country", "country|where the person is from", v.country),
        field(
            "birthday",
            "date",
            "birthday date_of_birth born birth_date dob",
            "date of birth|birthday",
            lambda s: (lambda d: Value(v.write_date(s, d), d.isoformat()))(
                v.calendar_day(s).replace(year=s.integer(1932, 2008), day=s.integer(1, 28))
            ),
        ),
        field(
            "children", "integer", "children number_of_children kids", "number of children|how many kids", v.count(1, 6)
        ),
        field("pet", "string", "pet pet_name dog animal", "name of the pet|pet", v.given_name),
        field(
            "hobbies",
            "strings",
            "hobbies interests likes pastimes",
            "hobbies|what the person likes",
            v.list_of(
                (
                    "chess",
                    "hiking",
                    "painting",
                    "cycling",
                    "cooking",
                    "reading",
                    "gardening",
                    "photography",
                    "swimming",
                    "yoga",
                    "fishing",
                    "knitting",
                    "climbing",
                    "dancing",
                    "sailing",
                    "baking",
                    "astronomy",
                    "pottery",
                    "running",
                    "birdwatching",
                    "playing the piano",
                    "singing",
                    "board games",
                    "skiing",
                    "surfing",
                    "woodwork",
                    "calligraphy",
                    "karate",
                    "football",
                    "tennis",
                ),
                2,
                4,
            ),
        ),
        field(
            "languages",
            "strings",
            "languages speaks spoken_languages",
            "languages spoken|languages",
            v.list_of(
                (
                    "English",
                    "German",
                    "French",
                    "Spanish",
                    "Italian",
                    "Polish",
                    "Dutch",
                    "Turkish",
                    "Arabic",
                    "Hindi",
                    "Mandarin",
                    "Japanese",
                    "Portuguese",
                    "Russian",
                    "Greek",
                    "Swedish",
                    "Danish",
                    "Korean",
                    "Czech",
                    "Romanian",
                ),
                2,
                4,
            ),
        ),
        field("email", "email", "email mail email_address", "e-mail address|mail", v.email),
        field("phone", "string", "phone phone_number mobile", "phone number|mobile number", v.phone),
        field(
            "since",
            "integer",
            "since start_year joined_year year",
            "year of joining|since which year",
            lambda s: (lambda n: Value(str(n), n))(s.integer(1985, 2026)),
        ),
    ),
    lines("""
        My name is {name} and I am {age} years old.
        {name} is a {job} from {city}.
        {name} works as a {job} at {company}.
        Hi, I'm {name}.
        I am {name}, {age}.
        Let me introduce {name}.
        Meet {name}, our new {job}.
        {name}, {age}, {job}
        This is {name}.
        {name} lives in {city}, {country}.
        I'm a {age} year old {job} living in {city}.
        I am {age} years old.
        Age: {age}
        I just turned {age}.
        I work as a {job}.
        By profession I am a {job}.
        Job: {job}
        I work for {company}.
        At {company} since {since}.
        My employer is {company}.
        Currently with {company}
        I live in {city}.
        Home is {city}.
        I moved to {city} in {since}.
        Based in {city}.
        I come from {country}.
        Originally from {country}.
        I grew up in {country}.
        I was born on {birthday}.
        My birthday is {birthday}.
        Born {birthday}
        We have {children} kids.
        I am the parent of {children} children.
        Children: {children}
        Our dog is called {pet}.
        I have a cat named {pet}.
        {pet}, my dog, goes everywhere with me.
        I like {hobbies}.
        My hobbies are {hobbies}.
        In my free time I enjoy {hobbies}.
        Interests: {hobbies}
        I speak {languages}.
        Languages: {languages}.
        Fluent in {languages}.
        Write me at {email}.
        Mail: {email}
        You can email {email}.
        Call me on {phone}.
        Mobile {phone}
        My number: {phone}.
        I joined in {since}.
        In the team since {since}.
        Started in {since}
    """),
    lines("""
        Nice to meet you all.
        I love the sea.
        Life is good.
        I get up at 6 every day.
        Feel free to say hello.
        Never without coffee.
        I have 2 brothers.
        My desk is on the 3rd floor.
        Ask me anything.
        Music keeps me going.
    """),
)
