"""Word lists: names of people and places from many countries, things people buy, words for companies and topics."""

FIRST_NAMES = tuple(
    """Anna Maria James Olivia Noah Emma Liam Sophia Lucas Mia Ethan Amelia Henry Charlotte Jack Grace Oscar Ruby Leo
Ella Arthur Freya George Isla Harry Evie Theo Alice Daniel Chloe Samuel Lucy Adam Zoe Ryan Hannah Nathan Leah Aaron
Megan Dylan Holly Connor Erin Callum Niamh Sean Aoife Patrick Ciara Hans Greta Jonas Lena Felix Klara Lukas Johanna
Moritz Frieda Jürgen Sabine Wolfgang Petra Dieter Ulrike Stefan Birgit Pierre Camille Louis Manon Hugo Chloé Jules Inès
Antoine Élodie Benoît Amélie François Margaux Thierry Sylvie Carlos Lucía Javier Carmen Pablo Elena Diego Paula Sergio
Marta Álvaro Rocío Miguel Pilar Giulia Marco Francesca Luca Chiara Matteo Sofia Alessandro Martina Lorenzo Paolo Silvia
Katarzyna Piotr Agnieszka Tomasz Małgorzata Krzysztof Zofia Jakub Ewa Marek Daan Sanne Bram Lotte Sem Fleur Joost Femke
Astrid Erik Ingrid Lars Freja Magnus Sigrid Nils Solveig Björn Saga Mikkel Jiří Tereza Ondřej Lucie Václav Hana Ayşe
Mehmet Zeynep Emre Elif Burak Fatma Kerem Priya Arjun Ananya Rohan Kavya Vikram Neha Rahul Deepa Sanjay Wei Mei Jun Li
Xin Hiro Yuki Haruto Sakura Kenji Aiko Minjun Jiwoo Seoyeon Linh Minh Thảo Fatima Omar Layla Hassan Amina Yusuf Noor
Khalid Chidi Ngozi Kwame Ama Thabo Zanele João Beatriz Tiago Inês Rui Larissa Thiago Andrei Ioana Mihai Dragan Milica
Ivan Olga Dmitri Natalia Sergei Irina Andriy Oksana Georgios Eleni Nikos Dimitra Gábor Eszter László Zsófia Tamar David
Rachel Avi Miriam Joel Esther Simon Judith Gareth Bronwyn Rhys Carys Hamish Fiona Ewan Ailsa Tyler Brianna Marcus Keisha
Darnell Latoya Jose Guadalupe Ximena Mateo Valentina Santiago Camila Bob Sue Tim Kate Tom Jill Ben Sam Max Nina Rosa
Peter Paul Frank Walter Helen Martha Edith Dorothy Ralph Stanley Vera Lydia Clara Ida Otto Karl Emil Viktor Jasper Rufus""".split()
)

LAST_NAMES = tuple(
    """Smith Johnson Brown Taylor Wilson Davies Evans Thomas Roberts Walker Wright Robinson Thompson White Hughes Edwards
Green Hall Wood Harris Lewis Martin Jackson Clarke Clark Turner Hill Cooper Ward Moore Morris King Baker Harrison Allen
Scott Young Mitchell Anderson Phillips Lee Bell Parker Davis Bennett Miller Cook Shaw Cox Fletcher Marshall Collins
Fitzgerald Murphy Kelly O'Brien O'Connor Byrne Doyle Gallagher McCarthy Kavanagh MacLeod Campbell Fraser Sutherland
Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Koch Bauer Richter Klein Wolf Schröder
Neumann Schwarz Zimmermann Krüger Hartmann Lange Krause Vogel Dubois Durand Leroy Moreau Laurent Lefebvre Fournier
Girard Bonnet Rousseau Lambert Fontaine Chevalier Gauthier Perrin Garnier García Fernández Rodríguez González López
Martínez Sánchez Pérez Gómez Ruiz Hernández Jiménez Díaz Moreno Álvarez Romero Navarro Torres Castillo Vargas Rossi
Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti Mancini Costa Giordano Rizzo Nowak Kowalski
Wiśniewski Wójcik Kamiński Lewandowski Zieliński Szymański Dąbrowski Kozłowski Mazur Krawczyk deVries Jansen Bakker
Visser Smit Meijer Mulder Bos Vos Peters Hendriks Dekker Brouwer Johansson Andersson Karlsson Nilsson Eriksson Larsen
Hansen Olsen Pedersen Nielsen Jensen Christensen Lindqvist Bergström Novák Svoboda Dvořák Černý Procházka Kučera Yılmaz
Kaya Demir Çelik Şahin Öztürk Aydın Sharma Patel Singh Gupta Kumar Reddy Iyer Mehta Nair Chopra Wang Zhang Chen Liu Yang
Huang Zhao Wu Zhou Tanaka Suzuki Sato Watanabe Yamamoto Nakamura Kobayashi Kim Park Choi Jung Kang Nguyen Tran Pham Le
Okafor Adeyemi Mensah Boateng Dlamini Nkosi Khumalo Haddad Mansour Khalil Rahman Hussain Malik Silva Santos Oliveira
Pereira Almeida Ferreira Ribeiro Carvalho Popescu Ionescu Petrović Jovanović Horvat Kovačić Ivanov Petrov Sokolov Volkov
Shevchenko Bondarenko Papadopoulos Georgiou Nagy Szabó Kovács Tóth Cohen Levy Friedman Goldberg Katz Rivera Morales
Ortiz Mendoza Delgado Washington Jefferson Freeman Brooks Whitfield Ashworth Pemberton Hargreaves Blackwood Sinclair
Abernathy Winslow Thornton Underhill Merriweather Castellano Ferraro Lindgren Vandermeer Okonkwo Achebe Brandt Falk""".split()
)

CITIES = tuple(
    """London|Manchester|Leeds|Bristol|Glasgow|Edinburgh|Cardiff|Belfast|Dublin|Cork|Galway|New York|Boston|Chicago|Denver
Seattle|Portland|Austin|Houston|Phoenix|San Diego|San Francisco|Atlanta|Miami|Nashville|Detroit|Toronto|Montreal
Vancouver|Calgary|Berlin|Hamburg|Munich|Cologne|Leipzig|Dresden|Bremen|Stuttgart|Freiburg|Kiel|Vienna|Graz|Salzburg
Zürich|Basel|Bern|Geneva|Paris|Lyon|Marseille|Lille|Nantes|Bordeaux|Toulouse|Rennes|Grenoble|Madrid|Barcelona|Seville
Valencia|Bilbao|Málaga|Zaragoza|Rome|Milan|Turin|Naples|Bologna|Florence|Venice|Genoa|Warsaw|Kraków|Gdańsk|Wrocław|Poznań
Łódź|Amsterdam|Rotterdam|Utrecht|Eindhoven|Groningen|Brussels|Antwerp|Ghent|Stockholm|Gothenburg|Malmö|Oslo|Bergen
Copenhagen|Aarhus|Helsinki|Tampere|Prague|Brno|Ostrava|Budapest|Debrecen|Istanbul|Ankara|Izmir|Athens|Thessaloniki|Lisbon
Porto|Braga|Mumbai|Delhi|Bangalore|Chennai|Pune|Singapore|Tokyo|Osaka|Kyoto|Seoul|Busan|Sydney|Melbourne|Perth|Brisbane
Auckland|Wellington|Cape Town|Durban|Nairobi|Lagos|Accra|Cairo|Casablanca|Tel Aviv|Dubai|Mexico City|Guadalajara|Bogotá
Lima|Santiago|Buenos Aires|São Paulo|Rio de Janeiro|Bucharest|Sofia|Belgrade|Zagreb|Ljubljana|Bratislava|Tallinn|Riga
Vilnius|Reykjavik|Luxembourg|Norwich|Exeter|York|Bath|Oxford|Cambridge|Brighton|Sheffield|Newcastle|Liverpool|Nottingham
Madison|Boulder|Tucson|Omaha|Savannah|Buffalo|Richmond|Tampa|Sacramento|Oakland|Springfield|Ridgewood|Oakville""".replace(
        "\n", "|"
    ).split("|")
)

COUNTRIES = tuple(
    "Germany|France|Spain|Italy|Poland|Netherlands|Belgium|Sweden|Norway|Denmark|Finland|Austria|Switzerland|Portugal|Greece"
    "|Ireland|United Kingdom|United States|Canada|Mexico|Brazil|Japan|India|Australia|New Zealand|South Africa|Turkey"
    "|Czech Republic|Hungary|Romania|Croatia|Singapore|South Korea|Kenya|Ghana|Iceland".split("|")
)

STREETS = tuple(
    """High Street|Station Road|Church Lane|Mill Lane|Park Avenue|Victoria Road|Queens Road|Green Lane|Manor Road|Kings Road
The Crescent|Elm Street|Maple Avenue|Oak Drive|Cedar Court|Washington Street|Lakeview Drive|Sunset Boulevard|Main Street
Broadway|Market Street|River Road|Hillcrest Avenue|Willow Way|Pine Street|Chestnut Close|Orchard Way|Bridge Street
Hauptstraße|Bahnhofstraße|Gartenstraße|Schillerstraße|Goethestraße|Lindenallee|Kirchweg|Bergstraße|Rosenweg|Am Markt
Rue de la Paix|Rue Victor Hugo|Avenue Foch|Boulevard Voltaire|Rue des Lilas|Place du Marché|Calle Mayor|Calle de Alcalá
Avenida de América|Paseo del Prado|Via Roma|Via Garibaldi|Corso Italia|Piazza Dante|Via Mazzini|ul. Długa|ul. Polna
ul. Lipowa|Keizersgracht|Prinsengracht|Dorpsstraat|Kerkstraat|Molenweg|Storgatan|Drottninggatan|Vestergade|Karl Johans gate
Mannerheimintie|Na Příkopě|Václavské náměstí|Andrássy út|Rua Augusta|Rua das Flores|Avenida Paulista|MG Road|Ring Road
Collins Street|George Street|Queen Street|Canal Street|Foundry Lane|Harbour View|Sycamore Terrace|Abbey Gardens
Quarry Hill|Tannery Row|Beacon Street|Granary Wharf|Fern Hollow Road|Larkspur Lane|Old Mill Road|Hawthorne Place""".replace(
        "\n", "|"
    ).split("|")
)

PRODUCT_HEADS = tuple(
    """desk lamp|office chair|standing desk|coffee grinder|espresso machine|kettle|toaster|blender|rice cooker|frying pan
knife set|water bottle|lunch box|backpack|suitcase|umbrella|rain jacket|running shoes|hiking boots|wool socks|scarf|gloves
beanie|sunglasses|wristwatch|alarm clock|wall clock|picture frame|bookshelf|side table|floor lamp|rug|curtain|pillow|duvet
mattress|towel set|bath mat|shower head|vacuum cleaner|iron|fan|heater|humidifier|air purifier|keyboard|mouse|monitor
webcam|headset|earbuds|speaker|microphone|router|charger|power bank|usb cable|hdmi cable|laptop stand|laptop|tablet|phone case
screen protector|memory card|hard drive|printer|ink cartridge|notebook|fountain pen|pencil case|whiteboard|stapler|desk organizer
board game|puzzle|teddy bear|toy train|scooter|bicycle|bike helmet|bike lock|yoga mat|dumbbell set|skipping rope|tennis racket
football|tent|sleeping bag|camping stove|headlamp|garden hose|plant pot|watering can|lawn mower|drill|screwdriver set|hammer
tape measure|ladder|paint roller|work gloves|dog leash|cat tree|fish tank|bird feeder|tea set|mug|wine glasses|candle|vase
cutting board|baking tray|measuring cup|tote bag|wallet|belt|dress shirt|hoodie|jeans|raincoat|swimsuit|guitar strings
violin case|music stand|camera|tripod|lens cap|photo album|baby monitor|stroller|car seat|night light|smoke detector
door lock|doorbell|extension cord|light bulb|solar panel|thermos|salad bowl|pressure cooker|ice bucket|soap dispenser""".replace(
        "\n", "|"
    ).split("|")
)

PRODUCT_BRANDS = tuple(
    """Aurora Nimbus Vertex Luma Kestrel Borealis Tundra Solis Orbit Vela Cobalt Harrow Quill Ember Zephyr Fjord Atlas Delta
Nova Pico Titan Juniper Marlow Sable Onyx Halcyon Peregrine Cascade Monsoon Ridge Summit Larch Basalt Coral Drift Echo
Flint Gale Haven Indigo Jade Krona Lyra Mistral Nordic Opal Prism Quartz Rune Sierra Terra Umber Vesper Willow Xeno Yarrow
Zenith Alto Brio Cirrus Dune Elan Forte Glide Hydra Ivory Kite Lumen Merit Nexus Oslo Pulse Quest Rove Swift Tempo Unity""".split()
)

COLORS = tuple(
    "black white grey red blue green yellow orange purple brown navy beige silver gold turquoise pink cream teal olive".split()
)
SIZES = ("small", "medium", "large", "XL", "S", "M", "L", "XXL", "one size")
MATERIALS = tuple(
    "wood oak steel aluminium cotton wool leather glass ceramic plastic bamboo linen polyester silicone marble".split()
)

COMPANY_WORDS = tuple(
    """Bright North River Stone Green Blue Silver Golden Iron Clear Open True Prime First Global United Pacific Atlantic
Alpine Baltic Nordic Central Urban Metro Pioneer Summit Harbor Meridian Horizon Keystone Lantern Compass Anchor Beacon
Maple Cedar Falcon Heron Otter Badger Lynx Raven Copper Velvet Crystal Ember Quantum Vector Matrix Pixel Cipher Helix
Orchid Saffron Juniper Cobalt Granite Amber Willow Thistle Bramble Clover Foxglove""".split()
)
COMPANY_NOUNS = tuple(
    """Systems Logistics Foods Media Labs Partners Consulting Software Energy Motors Textiles Pharma Analytics Design Studio
Robotics Networks Capital Insurance Travel Bakery Brewing Books Furniture Electronics Interiors Outdoors Supplies Tools
Hardware Health Dental Veterinary Legal Accounting Printing Publishing Security Cloud Data Works Industries Trading""".split()
)
COMPANY_SUFFIXES = (
    "",
    "",
    "",
    " Ltd",
    " Inc.",
    " GmbH",
    " LLC",
    " S.A.",
    " AG",
    " B.V.",
    " Group",
    " & Sons",
    " Co.",
    " AB",
)

JOB_LEVELS = ("", "", "", "Senior ", "Junior ", "Lead ", "Assistant ", "Head ", "Part-time ", "Trainee ", "Principal ")
JOB_TITLES = tuple(
    """Software Engineer|Data Analyst|Product Manager|Accountant|Nurse|Electrician|Warehouse Operative|Truck Driver|Chef
Receptionist|Graphic Designer|Marketing Manager|Sales Representative|HR Advisor|Project Manager|Teacher|Pharmacist
Mechanical Engineer|Civil Engineer|Architect|Plumber|Carpenter|Welder|Barista|Waiter|Store Manager|Cashier|Librarian
Translator|Copywriter|Editor|Journalist|Photographer|UX Designer|DevOps Engineer|Database Administrator|Security Analyst
Network Technician|Support Specialist|Research Scientist|Lab Technician|Dental Hygienist|Physiotherapist|Social Worker
Paralegal|Legal Counsel|Financial Controller|Tax Advisor|Auditor|Actuary|Logistics Coordinator|Procurement Officer
Quality Inspector|Machine Operator|Gardener|Cleaner|Security Guard|Event Planner|Fitness Coach|Hairdresser|Tailor|Baker
Butcher|Kitchen Porter|Bus Driver|Forklift Driver|Crane Operator|Site Manager|Surveyor|Data Scientist|Backend Developer
Frontend Developer|Mobile Developer|QA Tester|Scrum Master|Business Analyst|Office Manager|Executive Assistant""".replace(
        "\n", "|"
    ).split("|")
)

SKILLS = tuple(
    """Python|Java|SQL|Excel|Docker|Kubernetes|Linux|React|TypeScript|Go|Rust|C++|Figma|Photoshop|SAP|Salesforce|AutoCAD
Tableau|Power BI|AWS|Azure|Git|Terraform|project planning|copywriting|bookkeeping|payroll|first aid|customer service
negotiation|public speaking|forklift licence|food hygiene|German|French|Spanish|Mandarin|data modelling|machine learning
statistics|technical drawing|welding|stock control|team leadership|budgeting|SEO|copy editing|patient care|phlebotomy""".replace(
        "\n", "|"
    ).split("|")
)

TOPICS = tuple(
    """the new website|the budget|the office move|hiring|the product launch|the summer party|the quarterly report
customer feedback|the mobile app|the data migration|security training|the supplier contract|the price increase|the roadmap
the trade fair|the brand refresh|the warehouse layout|the onboarding process|the newsletter|the audit|travel costs
the server upgrade|the new logo|parking|the coffee machine|the holiday schedule|the support backlog|test coverage
the release plan|the marketing campaign|the annual survey|energy savings|the pilot project|the partner programme
the payment provider|the training budget|the intranet|the phone system|the sales forecast|the recruiting event""".replace(
        "\n", "|"
    ).split("|")
)

TASKS = tuple(
    """update the slides|send the contract|book the room|call the supplier|draft the press release|fix the login page
write the report|order the badges|review the budget|prepare the demo|contact the printer|test the backup
translate the manual|clean up the mailing list|collect the feedback|renew the licence|check the invoices
schedule interviews|publish the job advert|migrate the database|compare the offers|design the poster|plan the workshop
archive the old tickets|share the minutes|set up the new laptops|measure the page speed|talk to legal|update the price list
create the survey|order lunch|repair the projector|rewrite the FAQ|close the old account|sort out the parking permits""".replace(
        "\n", "|"
    ).split("|")
)

SPECIALTIES = tuple(
    "cardiology dermatology dentistry orthopaedics neurology paediatrics ophthalmology radiology physiotherapy gynaecology"
    " psychiatry oncology urology allergology endocrinology".split()
)
SYMPTOMS = tuple(
    """a persistent cough|lower back pain|headaches|a skin rash|knee pain|dizziness|a sore throat|chest tightness|blurred vision
stomach cramps|an earache|shortness of breath|a swollen ankle|fatigue|insomnia|a toothache|shoulder pain|nausea|a high fever
joint stiffness|heartburn|hair loss|numbness in the left hand|a runny nose|migraine|neck pain|palpitations|itchy eyes""".replace(
        "\n", "|"
    ).split("|")
)
MEDICINES = tuple(
    """ibuprofen paracetamol amoxicillin omeprazole metformin lisinopril atorvastatin cetirizine salbutamol prednisolone
diclofenac ramipril bisoprolol sertraline levothyroxine doxycycline naproxen pantoprazole fluoxetine tramadol""".split()
)

SERVICES = tuple(
    """auth billing api gateway payments search checkout mailer scheduler worker cache-proxy user-service order-service
inventory frontend ingest reporting notifier image-resizer session-store web backend indexer sync webhook metrics""".split()
)
TLDS = ("com", "org", "net", "de", "co.uk", "fr", "eu", "io", "example", "pl", "nl", "es", "it", "se", "ca", "com.au")
MAIL_HOSTS = tuple("mail post inbox webmail example gmx fastpost mymail proton outlook yahoo gmail icloud web".split())

MONTHS = (
    "January February March April May June July August September October November December".split()
)  # fmt: skip
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen"
    " nineteen twenty".split()
)

SYLLABLE_ONSETS = tuple("b br c ch d dr f fl g gr h j k kl l m n p pl qu r s sh sk st t tr v w z".split())
SYLLABLE_VOWELS = tuple("a e i o u ai ea ia io oo au ei".split())
SYLLABLE_CODAS = ("", "", "", "n", "r", "l", "s", "m", "x", "nd", "rt", "ck", "ll", "ng", "st")

MORPHEMES = tuple(
    """fire fly light wood ford ton burg son man berg ville smith well stone field house land water rain snow moon sun star sand
rock hill dale brook bridge port haven bay cliff marsh fen moor heath grove thorn rose lily fern ash birch hazel wolf fox bear
hawk crow dove swan lark wren fish shell pearl gold iron steel silk wool lace honey bread salt spice mint apple berry plum
cherry lemon north south east west high low over under out up down back front side long short broad sharp quick slow warm cold
bright dark clear deep soft hard wild calm free true fair good new old young grand small tall wide thin round square able ance
ment ness ship hood less ful ish ing ed er or ist ism tion sion ity ous ive al ic ical ly ward wise some like dom ery age ant
ent ara ola ino eta ito elli etti ini ova enko ski owski czyk vich idis oulos opoulos sen sson dottir aga ara uma ito moto yama
kawa mura saki zaki shi tsu naga hira chi wang xiao zhong ming jing ping guo quan abdul rah man ibn bad nagar pur abad stan
graph gram scope meter phone tele micro macro mega ultra inter trans sub super auto bio geo eco hydro thermo electro photo
cyber techno vita nova medi dent derm cardi neuro ortho pneu hepa nephro gastro acle ique ette elle ault eaux eau ois ier""".split()
)

COMMON_NOUNS = tuple(
    """garden bridge window river ticket letter camera mountain basket engine bottle candle corner market island ladder mirror
needle office pencil planet pocket ribbon saddle shadow silver spider summer supper tunnel valley velvet wagon winter yellow
anchor barrel blanket bucket button cabin carpet castle ceiling chicken circle coffee copper cotton cousin curtain dinner doctor
dragon eagle evening farmer feather finger flower forest gallery glass guitar hammer harbour heaven helmet holiday honey hotel
jacket journey kitchen lantern lemon lesson library machine magnet marble meadow melody memory minute monkey morning motor
museum napkin neighbour night number ocean orange orchestra palace paper parade partner pepper photo piano pillow pirate plate
poem potato present prince puzzle rabbit radio rainbow recipe record report river road rocket roof rope sailor salad sandwich
school season secret sheep signal silence singer sister soldier spoon station statue storm story street student sugar tailor
teacher theatre thunder tiger tomato tower traffic treasure trumpet uncle valley village violin visitor voice wall water weather
whistle window wizard wolf workshop writer budget contract delivery deadline discount meeting project proposal schedule strategy
supplier training upgrade website newsletter campaign survey conference interview invoice password software database network""".split()
)
COMMON_ADJECTIVES = tuple(
    """red old new small big long short early late quiet loud soft hard dark bright cold warm dry wet open closed empty full free
busy simple strange famous secret sweet bitter fresh wild gentle broken hidden lost final first second last local foreign public
private annual weekly modern ancient wooden golden silver northern southern western eastern hungry sleepy lonely lucky brave
clever honest polite proud serious tiny huge narrow wide heavy light round square common rare special missing spare urgent""".split()
)
COMMON_VERBS = tuple(
    """paint fix clean move sell buy call visit open close check count cook carry collect copy deliver draw finish find fold follow
guard hang hide hold invite join keep lead lift load mark measure mend mix order pack park pick plan plant polish post pour press
print pull push read record remove rent repair replace ring save search send serve share show sign sort start store study sweep
teach test tidy train translate wash watch water weigh wrap write update review prepare organise discuss compare""".split()
)
