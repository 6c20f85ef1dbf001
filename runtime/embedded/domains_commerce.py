"""Documents of buying and selling: tickets, orders, invoices, listings, parcels."""

from slipform.runtime.embedded import lexicon as lex
from slipform.runtime.embedded import values as v
from slipform.runtime.embedded.schema_fields import Domain, field, lines
from slipform.runtime.embedded.source import Value

TICKET = Domain(
    "ticket",
    ("support ticket", "customer message", "e-mail", "message", "complaint", "support request"),
    (
        field(
            "customer",
            "string",
            "customer name customer_name full_name client sender contact_name caller reporter",
            "name of the customer|who wrote the message|the customer's full name|person who reports the problem",
            v.person,
        ),
        field(
            "email",
            "email",
            "email email_address contact_email mail e_mail customer_email",
            "e-mail address|where to reply|the customer's e-mail",
            v.email,
        ),
        field(
            "phone",
            "string",
            "phone phone_number telephone mobile callback_number contact_number tel",
            "phone number|number to call back|telephone number as written",
            v.phone,
        ),
        field(
            "order_id",
            "string",
            "order_id order_number order order_no reference order_ref",
            "order number|id of the order|the order the message is about",
            v.code_like("ORD", "PO", "SO", "A", "W"),
        ),
        field(
            "thing",
            "string",
            "product item product_name article device purchased_item",
            "the product concerned|name of the product|what was bought",
            v.product,
        ),
        field(
            "company",
            "string",
            "company company_name organisation organization employer business",
            "company of the customer|the customer's company|organisation",
            v.company,
        ),
        field(
            "purchase_date",
            "date",
            "purchase_date date_of_purchase bought_on order_date ordered_on",
            "date of purchase|when it was bought|day of the order",
            v.date,
        ),
        field(
            "amount",
            "amount",
            "amount price refund_amount total charged_amount sum",
            "amount of money|how much was charged|sum in question",
        ),
        field("currency", "currency", "currency currency_code", "ISO currency code|currency"),
        field(
            "quantity",
            "integer",
            "quantity count number_of_items units qty",
            "how many|number of items|quantity",
            v.count(2, 12),
        ),
        field(
            "city",
            "string",
            "city town place location customer_city",
            "city of the customer|where the customer lives|town",
            v.city,
        ),
        field("urgency", "enum", "urgency", "-", concept="urgency"),
        field("category", "enum", "category", "-", concept="category"),
        field("sentiment", "enum", "sentiment", "-", concept="sentiment"),
    ),
    lines("""
        My name is {customer}.
        This is {customer}.
        This is {customer} from {company}.
        I'm {customer} and I work for {company}.
        My name is {customer} and I live in {city}.
        {customer} here.
        {customer} here, from {city}.
        I am writing on behalf of {company}.
        I work at {company}.
        We at {company} have been customers for years.
        {customer} ({company}) wrote to us.
        A customer called {customer} contacted us.
        {customer} called today.
        Caller: {customer}, {phone}.
        I ordered {quantity} of them.
        There were {quantity} pieces in the order.
        We need {quantity} units in total.
        I bought {quantity} in one go.
        You can reach me at {email}.
        Please reply to {email}.
        My email is {email}.
        Write to me at {email} or call {phone}.
        Call me on {phone}.
        My number is {phone}.
        You can phone me at {phone} in the evening.
        Reach me under {phone} or {email}.
        Please ring {phone} if anything is unclear.
        Contact: {email}
        Best way to get hold of me is {phone}.
        Answers to {email} please.
        The order number is {order_id}.
        It concerns order {order_id}.
        My order {order_id} is the one I mean.
        Order no. {order_id}.
        This is about order {order_id} from {purchase_date}.
        Reference: {order_id}
        On {purchase_date} I ordered a {thing} (order {order_id}).
        I bought a {thing} on {purchase_date}.
        I ordered the {thing} on {purchase_date}.
        It was bought on {purchase_date}.
        The purchase was on {purchase_date}.
        I have had it since {purchase_date}.
        I placed the order on {purchase_date}.
        The product is a {thing}.
        It is about the {thing}.
        The {thing} is the one that gives me trouble.
        I recently bought your {thing}.
        We got a {thing} from you.
        The {thing} cost {amount}.
        I paid {amount} for it.
        You charged me {amount}.
        The total was {amount}.
        {amount} was taken from my account.
        Please refund {amount}.
        I want the {amount} back.
        It was {amount}, which is a lot of money for me.
        The {thing} I bought from you on {purchase_date} stopped working.
        My {thing} broke after a few days.
        The {thing} that I got from you on {purchase_date} for {amount} is faulty.
        I have a problem with my {thing}.
        Hi, {customer} here, my {thing} won't turn on any more.
        {customer} here again about the {thing}.
        On {purchase_date} I paid {amount} for a {thing}.
        I'm {customer}, order {order_id}.
        Hello, I'm {customer} from {city} and I bought a {thing} on {purchase_date}.
        The {thing} from order {order_id} is not what I expected.
        You still owe me {amount} for the {thing}.
        I got my {thing} on {purchase_date} and already have trouble with it.
        Since {purchase_date} I have been using your {thing}.
        We use the {thing} at {company} every day.
        I am {customer}, head of purchasing at {company}.
        Our company, {company}, bought {quantity} of your {thing}.
        Someone please call me back on {phone}.
        Get back to me at {email} please.
        Reply to {email} or phone {phone}.
        I was billed {amount} on {purchase_date}.
        {quantity} times I ordered the {thing}.
        I live in {city}.
        I am writing from {city}.
        Greetings from {city}.
        Please send the replacement to {city}.
        {urgency}
        {urgency}
        {category}
        {category}
        {sentiment}
        {sentiment}
    """),
    lines("""
        Hope you are well.
        I looked at your help pages but found nothing.
        I have attached a picture.
        Thank you in advance.
        Let me know what you need from me.
        My neighbour has the same one.
        I tried to turn it off and on again.
        I have been a customer since 2012.
        Your website says to write to this address.
        I already called twice, 15 minutes on hold each time.
        The manual did not help.
        I am sorry for the long message.
        Looking forward to your answer.
        It is my second message.
        My wife thinks I should just wait.
        The weather here is lovely by the way.
    """),
)

ORDER = Domain(
    "order",
    ("order confirmation", "order", "confirmation e-mail", "purchase confirmation", "order mail"),
    (
        field(
            "order_id",
            "string",
            "order_id order_number order_no reference id confirmation_number",
            "order number|id of the order|reference of the order",
            v.code_like("ORD", "PO", "SO", "W", "EC"),
        ),
        field(
            "customer",
            "string",
            "customer buyer customer_name name recipient purchaser",
            "name of the buyer|who placed the order|the customer",
            v.person,
        ),
        field(
            "seller",
            "string",
            "seller shop vendor store merchant company",
            "the shop|who sells it|name of the store",
            v.company,
        ),
        field(
            "items",
            "strings",
            "items products articles goods ordered_items contents",
            "what was ordered|list of the products|the ordered items",
            v.items,
        ),
        field(
            "order_date",
            "date",
            "order_date ordered_on date date_of_order placed_on",
            "when the order was placed|date of the order|order date",
            v.date,
        ),
        field(
            "delivery_date",
            "date",
            "delivery_date expected_delivery arrival_date delivered_by eta",
            "expected delivery|when it arrives|day of delivery",
            v.date,
        ),
        field(
            "subtotal",
            "amount",
            "subtotal net goods_value sub_total",
            "sum before shipping|subtotal|value of the goods",
        ),
        field(
            "shipping_cost",
            "amount",
            "shipping_cost shipping shipping_fee delivery_fee postage",
            "cost of shipping|delivery fee|postage",
        ),
        field(
            "total",
            "amount",
            "total grand_total amount order_total total_amount sum",
            "sum to pay|total amount|grand total",
        ),
        field("currency", "currency", "currency currency_code", "ISO currency code|currency"),
        field(
            "street",
            "string",
            "street address street_address delivery_street",
            "street and number|delivery street",
            v.street,
        ),
        field(
            "city", "string", "city town delivery_city destination", "city of delivery|town|where it is sent", v.city
        ),
        field("postcode", "string", "postcode zip postal_code zip_code", "postal code|ZIP code", v.postcode),
        field(
            "tracking",
            "string",
            "tracking_number tracking tracking_id tracking_code parcel_number",
            "tracking number|id of the parcel",
            v.code_like("TRK", "JD", "1Z", "RR"),
        ),
        field(
            "carrier",
            "string",
            "carrier courier shipping_company delivery_service",
            "who delivers|the carrier",
            v.one_of(
                (
                    "DHL",
                    "UPS",
                    "FedEx",
                    "Hermes",
                    "Royal Mail",
                    "DPD",
                    "GLS",
                    "PostNL",
                    "Correos",
                    "InPost",
                    "USPS",
                    "TNT",
                    "Evri",
                    "Colissimo",
                    "Bring",
                    "Swiss Post",
                    "PostNord",
                    "Aramex",
                )
            ),
        ),
        field("payment_method", "enum", "payment_method", "-", concept="payment_method"),
        field(
            "discount",
            "number",
            "discount discount_percent rebate percent_off",
            "discount in percent|percent off|rebate",
            v.percent,
        ),
        field(
            "email", "email", "email contact_email support_email mail", "e-mail address|address for questions", v.email
        ),
    ),
    lines("""
        Thank you for your order, {customer}!
        Hello {customer}, your order {order_id} is confirmed.
        Thanks for shopping at {seller}, {customer}.
        Dear {customer}, we have received your order.
        Order {order_id} was placed by {customer}.
        {customer} ordered {items}.
        We have received order {order_id} from {customer}.
        Ordered by {customer} on {order_date}.
        {seller} thanks you for your trust.
        Thank you for buying from {seller}.
        Your order at {seller} is being prepared.
        Sold by {seller}.
        Your order number is {order_id}.
        We confirm your order {order_id} of {order_date}.
        Please quote {order_id} in all letters.
        Order reference: {order_id}.
        You placed the order on {order_date}.
        The order was received on {order_date}.
        Ordered on {order_date}.
        You ordered {items}.
        Your basket: {items}.
        The parcel contains {items}.
        We will send you {items}.
        These things are on their way: {items}.
        It will arrive on {delivery_date}.
        Expected delivery: {delivery_date}.
        Delivery is planned for {delivery_date}.
        You should have it by {delivery_date}.
        {carrier} will bring it on {delivery_date}.
        The goods come to {subtotal}.
        Subtotal {subtotal}.
        Items: {subtotal}, shipping: {shipping_cost}, total: {total}.
        Shipping costs {shipping_cost}.
        We charge {shipping_cost} for delivery.
        Postage and packing: {shipping_cost}.
        The total comes to {total}.
        In total you pay {total}.
        Grand total: {total}.
        Amount to pay: {total}
        That makes {total} altogether.
        The sum of {total} includes {shipping_cost} for shipping.
        We deliver to {street}, {postcode} {city}.
        Shipping address: {customer}, {street}, {city} {postcode}.
        It goes to {street} in {city}.
        The parcel will be sent to {city}.
        Delivery street: {street}.
        The postal code is {postcode}.
        We will deliver to {postcode} {city}.
        You live at {street}, right?
        The tracking number is {tracking}.
        Follow your parcel with {tracking}.
        {carrier} tracking code {tracking}.
        It ships with {carrier}.
        {carrier} has picked up your parcel.
        Delivered by {carrier}.
        {payment_method}
        A discount of {discount} was applied.
        You saved {discount} with your voucher.
        We took {discount} off the price.
        Your rebate: {discount}.
        Questions? Write to {email}.
        You can contact us at {email}.
        We are here for you: {email}
    """),
    lines("""
        We hope to see you again soon.
        You can return anything within 30 days.
        This mail was sent automatically.
        Please do not reply to this message.
        Our shop is open 24 hours a day.
        Follow us for more offers.
        Keep this mail for your records.
        You will get another mail once the parcel is on its way.
        Rate your purchase and win a gift card.
        All prices include tax.
    """),
)

INVOICE = Domain(
    "invoice",
    ("invoice", "bill", "invoice text", "payment reminder", "scanned invoice"),
    (
        field(
            "invoice_id",
            "string",
            "invoice_number invoice_id invoice_no number bill_number id",
            "number of the invoice|invoice number|id of the bill",
            v.code_like("INV", "RE", "R", "F", "FV", "BILL"),
        ),
        field(
            "vendor",
            "string",
            "vendor supplier seller issuer company from vendor_name",
            "who issued the invoice|the supplier|name of the vendor",
            v.company,
        ),
        field(
            "client",
            "string",
            "client customer bill_to buyer billed_to recipient",
            "who has to pay|the customer billed|recipient of the invoice",
            v.company,
        ),
        field(
            "contact", "string", "contact contact_person contact_name attention", "contact person|who to ask", v.person
        ),
        field(
            "invoice_date",
            "date",
            "invoice_date date issued issue_date date_of_issue billing_date",
            "date of the invoice|when it was issued",
            v.date,
        ),
        field(
            "due_date",
            "date",
            "due_date due payable_by payment_due deadline",
            "when it has to be paid|due date|last day to pay",
            v.date,
        ),
        field("net", "amount", "net net_amount subtotal amount_before_tax net_total", "amount before tax|net sum"),
        field("tax", "amount", "tax vat tax_amount vat_amount", "amount of tax|VAT in money"),
        field(
            "total",
            "amount",
            "total total_amount amount_due gross grand_total amount sum",
            "total to pay|gross amount|amount due",
        ),
        field("currency", "currency", "currency currency_code", "ISO currency code|currency"),
        field(
            "tax_rate", "number", "tax_rate vat_rate vat_percent tax_percent", "tax rate in percent|VAT rate", v.percent
        ),
        field(
            "iban",
            "string",
            "iban account bank_account account_number",
            "bank account|IBAN",
            lambda s: v.plain(
                f"{v.letters(s, 2)}{v.digits(s, 2)} "
                + " ".join(v.digits(s, 4) for _ in range(s.integer(3, 5)))
                + s.pick(("", "", f" {v.digits(s, 1)}", f" {v.digits(s, 2)}"))
            ),
        ),
        field(
            "vat_id",
            "string",
            "vat_id tax_id vat_number tax_number",
            "VAT number|tax id of the vendor",
            lambda s: v.plain(
                f"{s.pick(('DE', 'FR', 'ESB', 'GB', 'NL', 'PL', 'IT', 'ATU'))}{v.digits(s, s.integer(8, 10))}"
            ),
        ),
        field(
            "po",
            "string",
            "purchase_order po_number po order_number order_reference",
            "purchase order|order that the invoice belongs to",
            v.code_like("PO", "ORD", "BE"),
        ),
        field(
            "service", "string", "description service item subject position", "what is charged|the service", v.product
        ),
        field(
            "hours",
            "number",
            "hours hours_worked quantity_hours",
            "hours worked|number of hours",
            v.measure(2, 120, "hours", "h", "hrs"),
        ),
        field("status", "enum", "status", "-", concept="payment_status"),
        field("email", "email", "email billing_email contact_email", "e-mail address|mail for questions", v.email),
    ),
    lines("""
        Invoice {invoice_id}
        Invoice no. {invoice_id} dated {invoice_date}
        This is invoice {invoice_id} from {vendor}.
        Our invoice {invoice_id} of {invoice_date} is attached.
        Invoice number {invoice_id}, issued on {invoice_date}.
        Please find our bill {invoice_id} below.
        {vendor} bills {client} for {service}.
        {vendor} charges {client} the following.
        From: {vendor} To: {client}
        Issued by {vendor}.
        Billed to {client}.
        Bill to: {client}.
        To the accounts department of {client}.
        For {client}, attention {contact}.
        Your contact is {contact}.
        Questions go to {contact}.
        {contact} will help you with questions.
        Vendor: {vendor}.
        Yours, {vendor}.
        Date of issue: {invoice_date}.
        Issued on {invoice_date}, due on {due_date}.
        We made out this invoice on {invoice_date}.
        Billing date {invoice_date}.
        Payable by {due_date}.
        Please pay before {due_date}.
        Due date: {due_date}.
        Payment is due on {due_date}.
        The money must reach us by {due_date} at the latest.
        Net amount {net}.
        Net: {net}, tax: {tax}, total: {total}.
        The net price is {net}.
        Before tax that is {net}.
        VAT {tax_rate}: {tax}.
        Plus {tax} tax.
        Tax amounts to {tax}.
        The tax is {tax}.
        A tax rate of {tax_rate} applies.
        VAT at {tax_rate} is included.
        Total due: {total}.
        The total is {total}.
        Please pay {total}.
        Amount payable {total}.
        You owe us {total}.
        The gross amount of {total} is due on {due_date}.
        Transfer {total} to {iban}.
        Account: {iban}.
        Our IBAN is {iban}.
        Bank details: {iban}.
        VAT ID {vat_id}.
        Our tax number is {vat_id}.
        Tax id: {vat_id}.
        Your purchase order: {po}.
        It refers to your order {po}.
        PO {po}.
        For {service}.
        We charge you for: {service}.
        Description: {service}.
        {hours} of work.
        We worked {hours} for you.
        Time spent: {hours}.
        {status}
        {status}
        Send questions to {email}.
        Contact us at {email}.
        Mail: {email}.
    """),
    lines("""
        Thank you for your business.
        Goods remain our property until paid.
        Please state the invoice number when paying.
        Registered at the local court under 4711.
        We appreciate prompt payment.
        Page 1 of 1
        A late fee of 2 per month may apply.
        It was a pleasure to work with you.
        This document is valid without signature.
        Terms and conditions apply.
    """),
)

LISTING = Domain(
    "listing",
    ("product listing", "offer", "classified advert", "product page", "product description"),
    (
        field(
            "thing",
            "string",
            "product name title product_name item article",
            "what is offered|name of the product|title of the product",
            v.product,
        ),
        field("brand", "string", "brand maker manufacturer make", "brand|who makes it", v.brand),
        field("price", "amount", "price cost asking_price amount sale_price", "price|what it costs|asking price"),
        field(
            "old_price",
            "amount",
            "old_price original_price regular_price list_price previous_price",
            "price before the reduction|regular price",
        ),
        field("currency", "currency", "currency currency_code", "ISO currency code|currency"),
        field("color", "string", "color colour", "color|colour of the product", v.one_of(lex.COLORS)),
        field("material", "string", "material made_of fabric", "material|what it is made of", v.one_of(lex.MATERIALS)),
        field(
            "size",
            "string",
            "size",
            "size|size as written",
            v.one_of(
                (
                    "small",
                    "medium",
                    "large",
                    "XL",
                    "XXL",
                    "S",
                    "M",
                    "L",
                    "38",
                    "40",
                    "42",
                    "44",
                    "one size",
                    "king size",
                    "A4",
                    "A5",
                    "10 x 20 cm",
                    "60 x 120 cm",
                    "30 cm",
                )
            ),
        ),
        field(
            "weight",
            "number",
            "weight weight_kg mass",
            "weight in kg|weight in kilograms",
            v.measure(1, 40, "kg", "kilograms", "kilos"),
        ),
        field(
            "stock",
            "integer",
            "stock in_stock quantity available units",
            "how many are available|pieces in stock",
            v.big_count(2, 4000),
        ),
        field(
            "sku",
            "string",
            "sku article_number item_number model_number ean",
            "article number|SKU",
            v.code_like("SKU", "ART", "EAN", "B0"),
        ),
        field(
            "rating",
            "number",
            "rating stars score average_rating",
            "average rating|stars out of 5",
            lambda s: (lambda n: Value(n, v.Decimal(n)))(f"{s.integer(1, 4)}.{s.integer(0, 9)}"),
        ),
        field(
            "reviews",
            "integer",
            "reviews review_count number_of_reviews ratings",
            "number of reviews|how many people rated it",
            v.big_count(3, 9000),
        ),
        field(
            "warranty",
            "integer",
            "warranty_years warranty guarantee_years",
            "warranty in years|years of warranty",
            v.count(1, 10),
        ),
        field("seller", "string", "seller shop vendor sold_by contact", "who sells it|the seller", v.person),
        field("city", "string", "city location place pickup_location town", "where it can be picked up|city", v.city),
        field("phone", "string", "phone phone_number contact telephone", "phone number|number to call", v.phone),
        field("condition", "enum", "condition", "-", concept="condition"),
        field("sentiment", "enum", "sentiment", "-", concept="sentiment"),
    ),
    lines("""
        For sale: {thing}.
        I am selling my {thing} for {price}.
        {thing} by {brand}.
        Selling a {thing}.
        {thing}, {color}, {size}
        New in our shop: the {thing}!
        Meet the {thing} from {brand}.
        The {thing} in {color} is made of {material}.
        {brand} presents the {thing}.
        This {thing} is a real eye-catcher.
        Brand: {brand}.
        Made by {brand}.
        A quality product from {brand}.
        Manufacturer {brand}.
        Price: {price}.
        It costs {price}.
        Now only {price} instead of {old_price}.
        Yours for {price}.
        I would like {price} for it.
        Reduced from {old_price} to {price}.
        Asking {price}, slightly negotiable.
        It used to cost {old_price}.
        Regular price {old_price}.
        I paid {old_price} for it back then.
        The colour is {color}.
        It comes in {color}.
        Colour: {color}
        Made of {material}.
        The material is {material}.
        It is crafted from {material}.
        Size {size}.
        Size: {size}
        The size is {size}.
        It weighs {weight}.
        Weight: {weight}.
        At {weight} it is easy to carry.
        {stock} in stock.
        Only {stock} left.
        There are {stock} pieces available.
        We have {stock} of them in our warehouse.
        Article number {sku}.
        SKU: {sku}
        The item number is {sku}.
        Rated {rating} out of 5 by {reviews} customers.
        {rating} stars from {reviews} reviews.
        Customers give it {rating} stars.
        Average rating: {rating}.
        {reviews} people have reviewed it.
        Based on {reviews} ratings.
        With {warranty} years of warranty.
        The guarantee runs for {warranty} years.
        Comes with a {warranty} year warranty.
        Sold by {seller}.
        Contact {seller} at {phone}.
        Ask for {seller}.
        {seller} sells it in {city}.
        Pick-up in {city}.
        It can be collected in {city}.
        The item is located in {city}.
        Call {phone}.
        Phone: {phone}
        Interested? Ring {phone}.
        {condition}
        {condition}
        {sentiment}
        My old {thing} needs a new home.
        Hardly used {thing}, {price}.
        {thing} - {color}, {material}, {weight}
    """),
    lines("""
        Perfect as a gift.
        Smoke-free household.
        No returns.
        Free shipping over 50.
        You will love it.
        More pictures on request.
        Easy to clean.
        Comes with a manual.
        First come, first served.
        Serious offers only please.
        Ships within 2 days.
        Designed for everyday use.
    """),
)

PARCEL = Domain(
    "parcel",
    ("delivery note", "shipping notice", "address", "contact details", "letterhead"),
    (
        field(
            "recipient",
            "string",
            "recipient name addressee to receiver full_name",
            "who gets it|name of the recipient",
            v.person,
        ),
        field("company", "string", "company organisation firm company_name", "company|the firm", v.company),
        field(
            "street",
            "string",
            "street address street_address line1",
            "street and number|street with house number",
            v.street,
        ),
        field("city", "string", "city town place", "city|town", v.city),
        field("postcode", "string", "postcode zip postal_code zip_code", "postal code|ZIP code", v.postcode),
        field("country", "string", "country nation country_name", "country|country of the address", v.country),
        field("phone", "string", "phone telephone phone_number mobile", "phone number|telephone", v.phone),
        field("email", "email", "email mail email_address", "e-mail address|mail address", v.email),
        field("website", "string", "website url homepage web", "web site|homepage", v.website),
        field("weight", "number", "weight weight_kg", "weight in kg", v.measure(1, 60, "kg", "kilos")),
        field(
            "parcels",
            "integer",
            "parcels packages boxes number_of_parcels",
            "number of parcels|how many boxes",
            v.count(1, 12),
        ),
        field(
            "tracking",
            "string",
            "tracking_number tracking shipment_id",
            "tracking number|id of the shipment",
            v.code_like("TRK", "RR", "JD"),
        ),
        field("date", "date", "date delivery_date shipped_on ship_date", "date of the shipment|day", v.date),
    ),
    lines("""
        {recipient}, {street}, {postcode} {city}
        {recipient}, {company}, {street}, {city} {postcode}, {country}
        {recipient}
        {company}
        {street}
        {street}, {city}
        {postcode} {city}
        {city}, {country}
        {city}
        {country}
        {postcode}
        Please deliver to {recipient}, {street}, {city}.
        The parcel is for {recipient}.
        Attn: {recipient}
        {recipient} works at {company}.
        {recipient} of {company}
        {company} has its seat in {city}, {country}.
        Our office: {street}, {postcode} {city}, {country}.
        {recipient} lives at {street} in {city}.
        They moved to {city}.
        We have moved! Our new address is {street}, {postcode} {city}.
        The zip code is {postcode}.
        Country: {country}
        Ship it to {country} please.
        Tel. {phone}
        Phone {phone}, mail {email}
        call {phone}
        Mobile: {phone}
        e-mail: {email}
        {email}
        You can write to {email}.
        Web: {website}
        Visit {website}.
        More at {website}
        {parcels} parcels, {weight}
        There are {parcels} boxes.
        Total weight {weight}.
        The shipment weighs {weight}.
        It consists of {parcels} packages.
        Tracking {tracking}
        The tracking number is {tracking}.
        Shipment id: {tracking}.
        Shipped on {date}.
        Dispatched {date}
        It left our warehouse on {date}.
    """),
    lines("""
        Handle with care.
        Fragile!
        Ring twice.
        Leave it with the neighbour on the 2nd floor.
        Deliver between 9 and 5.
        Signature required.
        Sent from my phone
        Do not bend.
    """),
)
