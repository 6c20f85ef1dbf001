"""Judgements that a reader makes: labels, other names for them, and sentences that deserve each label.

The sentences carry small slots ({thing}, {time}, {n}) that `documents.fill_small` replaces. More sentences stand in
`material/judgements*.txt`, under lines of the form `@ concept label`.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from slipform.runtime.embedded.schema_fields import lines


@dataclass(frozen=True, slots=True)
class Concept:
    """A closed set of labels.

    Attributes:
        keys: property names; about: descriptions; questions: ways to ask for a label.
        names: for each label, the names a schema may use for it; the first is the label itself.
        phrases: for each label, sentences that deserve it.
    """

    name: str
    keys: tuple[str, ...]
    about: tuple[str, ...]
    questions: tuple[str, ...]
    names: dict[str, tuple[str, ...]]
    phrases: dict[str, tuple[str, ...]]


URGENCY = Concept(
    "urgency",
    ("urgency", "priority", "severity", "importance", "urgency_level"),
    ("How urgent it is", "how soon it must be handled", "Priority of the request", "urgency of the message"),
    (
        "How urgent is this message?",
        "What is the priority of this request?",
        "Rate the urgency.",
        "How soon does this need attention?",
        "Pick the priority.",
        "Which urgency fits?",
        "Urgency?",
    ),
    {
        "low": ("low", "low", "low", "minor", "not urgent"),
        "medium": ("medium", "medium", "normal", "moderate"),
        "high": ("high", "high", "urgent", "critical", "very urgent"),
    },
    {
        "low": lines("""
            There is no rush.
            No hurry at all.
            Whenever you have time is fine.
            This is not urgent.
            Please look at it when you get a chance.
            It can wait until next month.
            Just a small thing, nothing pressing.
            Take your time with this one.
            It is only a minor annoyance.
            I can live with it for now.
            Just letting you know, no need to act quickly.
            It does not stop me from working.
            This is a nice-to-have, really.
            Feel free to deal with this later.
            No need to reply soon.
            It is purely cosmetic and bothers nobody much.
            Low priority from my side.
            I am only curious, so answer whenever.
            Not a big deal, but I thought you should know.
            Don't worry if it takes a while.
            This is just a suggestion for some day.
        """),
        "medium": lines("""
            It would be good to have this solved this week.
            Please get back to me in the next few days.
            I would like an answer by the end of the week.
            It slows us down a little, but we have a workaround.
            Could you look into it in the coming days?
            We can manage for a few days, but not much longer.
            I hope you can sort this out soon.
            It is getting annoying, so please have a look this week.
            We need this fixed before next week.
            A reply within a couple of days would be appreciated.
            It affects some of our work, though not all of it.
            Please handle this in your normal queue.
            I need it in a few days.
            It is somewhat important to us.
            Sometime this week would be great.
            We have found a way around it, but a proper fix would help.
            Normal priority is fine.
            Not an emergency, but please do not forget it.
            I would appreciate a fix within a few working days.
        """),
        "high": lines("""
            This is extremely urgent.
            I need this fixed right now.
            Please respond immediately.
            We are losing money every minute.
            Nobody in our company can work at the moment.
            Everything is down.
            Please help as soon as possible!
            This has to be solved today.
            We have a deadline in two hours.
            Our whole shop is offline.
            It is an emergency.
            Call me back at once.
            URGENT!
            I cannot wait any longer, I need an answer within the hour.
            Production has stopped because of this.
            All our customers are affected right now.
            We can't take any orders until this is repaired.
            ASAP please, the client is waiting in the lobby.
            This is blocking the entire team.
            Drop everything else and look at this.
            If this is not fixed today we will lose the contract.
            I leave for the airport in an hour and still have nothing.
            The system crashed and we are completely stuck.
        """),
    },
)

SENTIMENT = Concept(
    "sentiment",
    ("sentiment", "mood", "tone", "customer_sentiment", "attitude"),
    ("How the writer feels", "overall sentiment", "tone of the message", "Sentiment of the text"),
    (
        "What is the sentiment of this text?",
        "How does the writer feel?",
        "Is the tone positive or negative?",
        "Classify the sentiment.",
        "Which mood does it express?",
        "Sentiment?",
        "Is the customer happy?",
    ),
    {
        "positive": ("positive", "positive", "happy", "satisfied", "good"),
        "neutral": ("neutral", "neutral", "mixed", "indifferent"),
        "negative": ("negative", "negative", "unhappy", "angry", "dissatisfied", "bad"),
    },
    {
        "positive": lines("""
            I absolutely love it.
            The {thing} works perfectly.
            Great service, thank you so much!
            I am really happy with the {thing}.
            Best purchase I have made in years.
            Your team was friendly and quick.
            Highly recommended.
            It exceeded my expectations.
            Fantastic quality for the price.
            Everything went smoothly and I will be back.
            What a wonderful experience.
            Five stars from me.
            The staff were so helpful and kind.
            I am impressed by how fast it arrived.
            My family adores the {thing}.
            Thanks again, you made my day.
            It looks beautiful and feels solid.
            Could not be happier.
            Brilliant, exactly what I wanted.
            Excellent support, the problem was solved in minutes.
            I enjoy using the {thing} every day.
            Keep up the good work!
            The food was delicious and the room was lovely.
        """),
        "neutral": lines("""
            I received the {thing} on {time}.
            The {thing} is as described.
            It is okay, nothing special.
            Please send me the opening hours.
            I would like to know whether the {thing} is available.
            The parcel came in a brown box.
            It does what it says.
            I am writing to confirm my address.
            It is average for the price.
            Could you tell me the size of the {thing}?
            The meeting takes place as planned.
            I have a question about the {thing}.
            The {thing} is neither good nor bad.
            Please update my contact details.
            I used the {thing} twice so far.
            It comes with a manual and a cable.
            Fine, I suppose.
            I ordered the {thing} last week.
            The store is next to the station.
            Here is the information you asked for.
        """),
        "negative": lines("""
            I am very disappointed.
            The {thing} broke after {n} days.
            Terrible service, never again.
            This is a complete waste of money.
            I want my money back.
            Nobody answered my calls and I am fed up.
            The quality is awful.
            Worst experience I have ever had.
            The {thing} arrived damaged and nobody cares.
            I regret buying the {thing}.
            The staff were rude and unhelpful.
            It stopped working almost at once.
            I am furious about this.
            Absolutely unacceptable.
            It took {n} weeks and then it was the wrong one.
            Do not buy this.
            The food was cold and the room was dirty.
            I will never order here again.
            It is slow, ugly and overpriced.
            You have lost a customer.
            This is ridiculous, I have been waiting for {n} weeks.
            The {thing} is useless.
            I hate how complicated everything is.
        """),
    },
)

CATEGORY = Concept(
    "category",
    ("category", "topic", "issue_type", "ticket_type", "department", "type"),
    ("What the message is about", "kind of problem", "Category of the request", "the team that should handle it"),
    (
        "Which category fits this message?",
        "What is this ticket about?",
        "Which team should handle this?",
        "Classify the request.",
        "What kind of issue is it?",
        "Category?",
        "Route this message.",
    ),
    {
        "billing": ("billing", "billing", "payment", "payments", "invoice"),
        "technical": ("technical", "technical", "bug", "tech support", "technical issue"),
        "shipping": ("shipping", "shipping", "delivery", "logistics"),
        "account": ("account", "account", "login", "account access"),
        "returns": ("returns", "refund", "return", "returns"),
        "feature request": ("feature request", "feature", "suggestion", "feature_request"),
        "cancellation": ("cancellation", "cancellation", "cancel"),
        "sales": ("sales", "sales", "pre-sales", "product question"),
        "other": ("other", "other", "general"),
    },
    {
        "billing": lines("""
            I was charged twice for the same thing.
            My card was debited {n} times this month.
            The invoice shows the wrong amount.
            Why is my bill higher than last month?
            I need a corrected invoice with our VAT number.
            My payment was declined although there is money on the card.
            You still charge me the old price.
            Please tell me how to change my credit card.
            There is a fee on my statement that I do not recognise.
            I paid by bank transfer but the invoice still shows as open.
            Could you send me the receipt for last month's payment?
            The discount was not applied to my bill.
            I have been overcharged.
            The tax on the invoice seems to be wrong.
            We never received the invoice for our subscription.
            The direct debit failed and I got a payment reminder.
        """),
        "technical": lines("""
            The app crashes every time I open it.
            I get error {n}04 when I click save.
            The page stays blank after the last update.
            The {thing} no longer connects to the wifi.
            The screen freezes after a few seconds.
            Uploading a file fails with a strange message.
            The website is very slow today and pages time out.
            The software does not start after the update.
            Sync is broken on my phone.
            The export button does nothing.
            The {thing} keeps restarting by itself.
            Bluetooth pairing does not work any more.
            Search returns no results although the data is there.
            The printer driver cannot be installed.
            Your server returns an internal error.
            The video has no sound in the new version.
        """),
        "shipping": lines("""
            My parcel has not arrived yet.
            The tracking page has not changed for {n} days.
            The courier left my package at the wrong house.
            When will my {thing} be delivered?
            The delivery was supposed to come on {time}.
            The box was empty when the driver handed it over.
            Can you ship the {thing} to another address?
            The parcel is stuck in customs.
            My package says delivered but it is not here.
            The driver never rang the bell.
            How long does delivery take?
            Please tell me where my shipment is.
            I am still waiting for my delivery.
            The tracking number does not work.
            Only one of the two boxes was delivered.
            The shipment seems to be lost.
        """),
        "account": lines("""
            I cannot log in.
            I forgot my password and the reset mail never comes.
            My account is locked after {n} attempts.
            Please change the e-mail address of my account.
            I want to delete my user profile.
            The login code never arrives on my phone.
            Somebody else seems to use my account.
            How do I add a second user to our account?
            My username is not recognised.
            The password reset link has expired.
            I can't sign in since I changed my phone.
            Please merge my two accounts.
            Two-factor authentication locks me out.
            I would like to change my user name.
            My profile shows the wrong name.
        """),
        "returns": lines("""
            I would like to send the {thing} back.
            The {thing} does not fit, how do I return it?
            I returned the {thing} {n} weeks ago and got no refund.
            Please send me a return label.
            I want my money back for the {thing}.
            The {thing} arrived broken and I want a refund.
            Can I exchange the {thing} for another size?
            You sent me the wrong {thing}, I want to return it.
            How long do I have to return an item?
            My refund is still missing.
            I'd like to swap the {thing} for a different colour.
            The return was accepted but the refund has not been made.
            I changed my mind and want to give it back.
            Where do I drop off my return?
        """),
        "feature request": lines("""
            It would be great if you added a dark mode.
            Could you please support more languages?
            I wish the app could export to a spreadsheet.
            Please add a calendar view.
            A search box on this page would help a lot.
            Have you thought about offering a family plan?
            I suggest a button to undo the last step.
            It would be nice to sort the list by date.
            Please consider keyboard shortcuts.
            My idea: let users share their lists.
            An offline mode would be a wonderful addition.
            Can you add support for calendars?
            I'd love to see a widget for the home screen.
            Would it be possible to add bigger fonts in a future version?
        """),
        "cancellation": lines("""
            I want to cancel my subscription.
            Please end my contract at the end of the month.
            I would like to cancel my order before it ships.
            We are leaving and need to terminate our plan.
            Stop my membership please.
            Please confirm that my subscription is cancelled.
            I do not want to renew next year.
            How do I cancel the trial?
            Please cancel the {thing} I ordered yesterday.
            I hereby terminate my contract.
            We no longer need your service, please close the plan.
            Please do not extend my plan any further.
            I'd like to quit my membership.
            Kindly cancel everything.
        """),
        "sales": lines("""
            How much is the {thing} for a team of {n}?
            Do you have the {thing} in stock?
            Is the {thing} suitable for children?
            Can I get a quote for {n} units?
            Do you offer discounts for schools?
            What is the difference between the two plans?
            I would like a demo of your product.
            Does the {thing} come with a warranty?
            Which {thing} would you recommend?
            Are there bulk prices?
            We are thinking of buying {n} licences.
            Is there a free trial?
            Do you sell spare parts for the {thing}?
            Please send me your price list.
        """),
        "other": lines("""
            Do you have a job for me?
            I just wanted to say hello to the team.
            Where can I park near your office?
            Who took the photo on your front page?
            Our school class would like to visit you.
            I am writing an article and would like an interview.
            Happy holidays to everybody.
            Do you sponsor local sports clubs?
            I found a typo in your press release.
            What is the name of the song in your advert?
            May I use your logo in my thesis?
            Are dogs allowed in your store?
        """),
    },
)

WORKPLACE = Concept(
    "workplace",
    ("work_mode", "remote", "workplace", "location_type", "work_model"),
    ("where the work is done", "Remote, hybrid or on site", "work arrangement"),
    (
        "Is the job remote, hybrid or on site?",
        "Where is the work done?",
        "Which work model applies?",
        "Classify the workplace.",
        "What is the work arrangement?",
        "Work mode?",
        "Pick the workplace type.",
    ),
    {
        "remote": ("remote", "remote", "fully remote"),
        "hybrid": ("hybrid", "hybrid", "partly remote"),
        "onsite": ("onsite", "on-site", "on site", "office"),
    },
    {
        "remote": lines("""
            You work from wherever you like.
            The whole team is distributed and there is no office.
            This position is fully remote.
            Work from home, all week.
            All you need is a good internet connection.
            We are a remote-first company.
            Home office on all days.
            The job can be done entirely from home.
            Location: anywhere.
            We meet only online.
        """),
        "hybrid": lines("""
            You come to the office two days a week.
            Home office is possible on three days.
            We mix office days and remote days.
            Hybrid work: half the week at home.
            Two days remote, three days with the team.
            Partly from home, partly in our office.
            Mondays and Tuesdays in the office, the rest from home.
            Flexible hybrid model.
            You split your week between home and office.
            At least one day a week in the office is expected.
        """),
        "onsite": lines("""
            The work is done at our site.
            Presence on site is required every day.
            You work in our workshop with the team.
            No remote work is possible in this role.
            You will be in our office five days a week.
            The position is based fully in our building.
            You need to be on the premises for each shift.
            This is an on-site job.
            Daily attendance at the plant is needed.
            We all work together in one office.
        """),
    },
)

EMPLOYMENT = Concept(
    "employment",
    ("employment_type", "contract_type", "job_type", "contract", "hours"),
    ("Kind of contract", "full-time, part-time and so on", "employment type"),
    (
        "What kind of contract is offered?",
        "Is it full-time or part-time?",
        "Which employment type is it?",
        "Classify the contract.",
        "Contract type?",
        "What type of job is it?",
        "Name the employment type.",
    ),
    {
        "full-time": ("full-time", "full-time", "full_time", "full time"),
        "part-time": ("part-time", "part-time", "part_time", "part time"),
        "internship": ("internship", "internship", "intern"),
        "temporary": ("temporary", "temporary", "fixed-term", "contract"),
    },
    {
        "full-time": lines("""
            It is a full-time position.
            40 hours a week.
            You work full time.
            A permanent full-time contract awaits you.
            Full-time, permanent.
            We offer 38 hours a week on a permanent basis.
            The job is full time with five days a week.
        """),
        "part-time": lines("""
            20 hours a week.
            It is a part-time job.
            You work three mornings a week.
            Part time, ideal for parents.
            The position is part-time with 15 hours.
            Half days only.
            You work two days per week.
        """),
        "internship": lines("""
            This is a six-month internship.
            We look for an intern.
            The internship is paid.
            Students can complete their placement here.
            An internship for people in their final year.
            You join us as an intern for the summer.
            Internship, three to six months.
        """),
        "temporary": lines("""
            The contract is limited to one year.
            It is a temporary replacement for a colleague on leave.
            Fixed-term until the end of the project.
            We need cover for the busy season only.
            A temporary position for six months.
            The job ends in December.
            Fixed-term contract of twelve months.
        """),
    },
)

PAYMENT_STATUS = Concept(
    "payment_status",
    ("payment_status", "status", "paid_status", "invoice_status"),
    ("whether the invoice has been paid", "State of the payment", "payment state"),
    (
        "Has the invoice been paid?",
        "What is the payment status?",
        "Payment status?",
        "Classify the state of the payment.",
        "Is it paid, open or overdue?",
        "What is the state of this invoice?",
        "Pick the status.",
    ),
    {
        "paid": ("paid", "paid", "settled"),
        "open": ("open", "open", "unpaid", "pending"),
        "overdue": ("overdue", "overdue", "late"),
    },
    {
        "paid": lines("""
            Paid in full, thank you.
            Your payment has been received.
            The amount was settled by card.
            This invoice has already been paid.
            We confirm receipt of your payment.
            Nothing left to pay.
            Balance: zero.
        """),
        "open": lines("""
            Please transfer the amount within the agreed term.
            We look forward to your payment.
            The amount is still to be paid.
            Kindly pay by bank transfer.
            Payment is expected by the due date.
            This invoice is open.
            Please settle the invoice on time.
        """),
        "overdue": lines("""
            This is a reminder: the payment is late.
            The due date has passed and we have not received your payment.
            Second reminder.
            Your account is in arrears.
            The invoice is overdue.
            Unfortunately your payment is past due.
            We must charge a late fee if you do not pay now.
        """),
    },
)

PAYMENT_METHOD = Concept(
    "payment_method",
    ("payment_method", "payment", "paid_by", "method_of_payment"),
    ("How it is paid", "means of payment", "the payment method used"),
    (
        "How was it paid?",
        "Which payment method was used?",
        "Payment method?",
        "Name the means of payment.",
        "How does the customer pay?",
        "By which method was the order paid?",
        "Pick the payment method.",
    ),
    {
        "credit card": ("credit card", "credit card", "card", "credit_card"),
        "bank transfer": ("bank transfer", "bank transfer", "transfer", "bank_transfer"),
        "paypal": ("paypal", "paypal", "PayPal"),
        "cash": ("cash", "cash"),
    },
    {
        "credit card": lines("""
            Paid by credit card.
            Your Visa card was charged.
            Payment: Mastercard ending in {n}{n}{n}{n}.
            We have debited your credit card.
            You chose to pay by card.
            The card ending in {n}{n}{n}{n} has been charged.
            Payment was taken from your Mastercard.
        """),
        "bank transfer": lines("""
            Payment by bank transfer.
            Please wire the money to our account.
            You chose to pay by transfer.
            Transfer the sum to the account below.
            Payment method: bank transfer.
            The money was wired from your bank.
            Please transfer the money to our IBAN.
        """),
        "paypal": lines("""
            Paid with PayPal.
            Your PayPal account has been charged.
            Payment was made through PayPal.
            You paid via PayPal.
            Payment method: PayPal.
            PayPal has confirmed your payment.
            The sum was taken from your PayPal balance.
        """),
        "cash": lines("""
            You pay in cash when you collect it.
            Cash on delivery.
            Payment: cash.
            It was paid in cash at the counter.
            Please have the exact amount in cash ready.
            Paid in cash.
            The customer pays the driver in cash.
        """),
    },
)

CONDITION = Concept(
    "condition",
    ("condition", "state", "item_condition"),
    ("Condition of the article", "new or used", "state of the item"),
    (
        "What condition is the item in?",
        "Is it new or used?",
        "Condition?",
        "Classify the condition.",
        "In what state is the article?",
        "Pick the condition.",
        "How worn is it?",
    ),
    {
        "new": ("new", "new", "brand new"),
        "used": ("used", "used", "second-hand"),
        "refurbished": ("refurbished", "refurbished"),
    },
    {
        "new": lines("""
            Brand new, still in its box.
            Never opened.
            Unused and sealed.
            Factory new.
            It is new with tags.
            Still wrapped, never used.
            New in original packaging.
        """),
        "used": lines("""
            Used, but in good shape.
            A few scratches, works fine.
            Second-hand, some signs of wear.
            I used it for {n} years.
            Pre-owned and well kept.
            It has been in use for a while.
            Some wear, nothing serious.
        """),
        "refurbished": lines("""
            Professionally refurbished.
            Reconditioned by the maker.
            Restored by a workshop and tested.
            A refurbished unit with a new battery.
            Overhauled and checked by technicians.
            Renewed by the manufacturer.
            Refurbished, as good as new.
        """),
    },
)

LOG_LEVEL = Concept(
    "log_level",
    ("level", "severity", "log_level"),
    ("Level of the log line", "severity of the entry", "log level"),
    (
        "What is the level of this log line?",
        "How severe is this entry?",
        "Classify the log entry.",
        "Severity?",
        "Is this an error?",
        "Which log level fits?",
        "Pick the level.",
    ),
    {
        "info": ("info", "INFO", "info"),
        "warning": ("warning", "WARNING", "warning"),
        "error": ("error", "ERROR", "error"),
    },
    {
        "info": lines("""
            request completed
            service started
            user logged in
            configuration reloaded
            backup finished
            connection established
            cache warmed
            job done
        """),
        "warning": lines("""
            disk usage above threshold
            slow query detected
            retrying request
            certificate expires soon
            queue is getting long
            deprecated option used
            memory usage high
            response slower than expected
        """),
        "error": lines("""
            connection refused
            out of memory
            request failed
            unhandled exception
            database unreachable
            write failed: no space left on device
            timeout while waiting for reply
            authentication failed for service account
        """),
    },
)

TOPIC = Concept(
    "news_topic",
    ("topic", "section", "subject", "category"),
    ("What the text is about", "section of the newspaper", "topic of the text"),
    (
        "What is this text about?",
        "Which section does this belong to?",
        "What is the topic?",
        "Classify the text by topic.",
        "Name the subject.",
        "Topic?",
        "Pick the section.",
    ),
    {
        "sports": ("sports", "sports", "sport"),
        "politics": ("politics", "politics"),
        "technology": ("technology", "technology", "tech"),
        "health": ("health", "health", "medicine"),
        "business": ("business", "business", "economy"),
        "travel": ("travel", "travel", "tourism"),
        "food": ("food", "food", "cooking"),
        "weather": ("weather", "weather"),
    },
    {
        "sports": lines("""
            The home team won the match in the last minute.
            The striker scored twice before half time.
            She set a new record in the marathon.
            The coach was sacked after {n} defeats.
            The final of the tennis tournament was delayed.
            He won the gold medal in swimming.
            Fans celebrated the league title.
            The goalkeeper saved a penalty.
            The cyclist took the yellow jersey.
        """),
        "politics": lines("""
            Parliament voted on the new law.
            The minister resigned on {time}.
            The opposition calls for new elections.
            The president met his counterpart for talks.
            The mayor presented the city budget.
            The party chose a new leader.
            Voters go to the polls on Sunday.
            The senate rejected the bill.
            The government plans to reform pensions.
        """),
        "technology": lines("""
            The company unveiled a faster processor.
            A new smartphone with a folding screen was shown.
            Researchers found a security hole in the browser.
            The start-up trains robots to sort rubbish.
            The software update brings a new interface.
            Engineers built a battery that charges in minutes.
            The app was downloaded a million times.
            Hackers stole passwords from the server.
            The new chip doubles the speed of computers.
        """),
        "health": lines("""
            Doctors recommend a flu shot before winter.
            A new study links sleep and heart disease.
            The hospital opened a new ward.
            Patients report fewer side effects with the new drug.
            Regular exercise lowers blood pressure.
            The vaccine protects for {n} years.
            Nurses are needed in all clinics.
            The virus spreads faster in cold air.
            The surgeon performed the first operation of its kind.
        """),
        "business": lines("""
            The company reported higher profits this quarter.
            Shares fell after the announcement.
            The central bank raised interest rates.
            The two firms plan to merge.
            Inflation slowed down last month.
            The carmaker cuts {n} thousand jobs.
            Investors welcomed the takeover.
            Exports grew more than expected.
            The retailer closes ten of its branches.
        """),
        "travel": lines("""
            The island has quiet beaches and small hotels.
            Book your flight early to save money.
            The train ride through the mountains takes {n} hours.
            Visitors need a visa for longer stays.
            The old town is best explored on foot.
            The cruise stops at {n} ports.
            The hostel is a short walk from the castle.
            Pack light for the hiking tour.
            Tourists love the night market.
        """),
        "food": lines("""
            Stir the sauce until it thickens.
            Bake the bread for {n} minutes.
            The restaurant serves fresh fish every day.
            Add garlic and a little olive oil.
            The soup tastes best with fresh herbs.
            Let the dough rest overnight.
            The chef adds a pinch of cinnamon.
            Chop the onions and fry them gently.
            Serve the cake with whipped cream.
        """),
        "weather": lines("""
            Heavy rain is expected in the north.
            Temperatures will rise to {n}0 degrees.
            Snow fell in the mountains overnight.
            A storm warning is in force for the coast.
            It stays cloudy with a few sunny spells.
            Fog made driving difficult this morning.
            The heat wave will last {n} more days.
            Frost is possible at night.
            Strong winds are forecast for the weekend.
        """),
    },
)

SPAM = Concept(
    "spam",
    ("label", "spam", "verdict"),
    ("Whether the message is spam", "spam or not"),
    (
        "Is this message spam?",
        "Spam or not spam?",
        "Should this mail be filtered?",
        "Classify the message.",
        "Is it junk mail?",
        "Verdict?",
        "Pick the label.",
    ),
    {"spam": ("spam", "spam", "junk"), "not spam": ("not spam", "ham", "not spam", "legitimate")},
    {
        "spam": lines("""
            Congratulations, you have won a free {thing}!
            Click here to claim your prize now.
            Make thousands from home without any work.
            Your account will be closed unless you confirm your password at this link.
            Cheap pills, no prescription needed.
            You have been selected for an exclusive reward.
            Earn money fast, guaranteed!
            Limited offer: buy now and get {n} for free!!!
            A rich relative left you millions, send your bank details.
            Act now, only today: 90% off all watches.
            Hot singles are waiting for you.
            Double your bitcoin in {n} days.
        """),
        "not spam": lines("""
            Can we move our meeting to {time}?
            Thanks for dinner yesterday, it was lovely.
            Attached are the minutes of our last meeting.
            I will be a bit late today.
            Could you send me the slides, please?
            Here is the address of the restaurant.
            Mum asks whether you will come on Sunday.
            The plumber comes on {time}.
            Please find the signed contract attached.
            Shall I bring anything to the party?
            I have pushed the fix, please review it.
            Your library books are due next week.
        """),
    },
)

REPLY = Concept(
    "reply",
    ("answer", "reply", "decision", "response"),
    ("Whether they accept", "the answer given", "accepts or declines"),
    (
        "Did the person say yes or no?",
        "Does the writer accept?",
        "What is the answer?",
        "Is the invitation accepted?",
        "Classify the reply.",
        "Answer?",
        "Pick the reply.",
    ),
    {
        "yes": ("yes", "yes", "accepted", "accept"),
        "no": ("no", "no", "declined", "decline"),
        "maybe": ("maybe", "maybe", "unsure", "undecided"),
    },
    {
        "yes": lines("""
            Yes, count me in.
            I'd love to come.
            Sure, that works for me.
            Sounds great, see you there.
            Happy to join.
            Of course, I will be there.
            That suits me perfectly.
            I accept with pleasure.
            Absolutely, put me on the list.
            Great idea, I'm in.
        """),
        "no": lines("""
            Sorry, I can't make it.
            Unfortunately I have to decline.
            I won't be able to come.
            No, that does not work for me.
            I'm afraid I am busy that day.
            Thanks, but no thanks.
            I have to pass this time.
            Regrettably I am away that week.
            That is impossible for me.
            I'd rather not.
        """),
        "maybe": lines("""
            I am not sure yet.
            Let me check and get back to you.
            Maybe, it depends on work.
            I will try, but I cannot promise.
            I need to ask my wife first.
            Perhaps, I will know more next week.
            Hard to say at the moment.
            I might come if I find a babysitter.
            Not decided yet.
            Could be, ask me again tomorrow.
        """),
    },
)


def _more_phrases() -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for file in sorted((Path(__file__).parent / "material").glob("judgements*.txt")):
        for paragraph in file.read_text(encoding="utf-8").split("@ ")[1:]:
            head, _, body = paragraph.partition("\n")
            concept, _, label = head.strip().partition(" ")
            found[concept, label] = (*found.get((concept, label), ()), *lines(body))
    return found


MORE_PHRASES = _more_phrases()


def with_more_phrases(concept: Concept) -> Concept:
    """`concept` with the sentences of the material behind its own."""
    both = {label: (*own, *MORE_PHRASES.get((concept.name, label), ())) for label, own in concept.phrases.items()}
    return replace(concept, phrases=both)


CONCEPTS = {
    concept.name: with_more_phrases(concept)
    for concept in (
        URGENCY,
        SENTIMENT,
        CATEGORY,
        WORKPLACE,
        EMPLOYMENT,
        PAYMENT_STATUS,
        PAYMENT_METHOD,
        CONDITION,
        LOG_LEVEL,
        TOPIC,
        SPAM,
        REPLY,
    )
}
