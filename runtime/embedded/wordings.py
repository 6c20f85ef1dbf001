"""Judgements composed of words and frames, so that a word met in one sentence is understood in another."""

from collections.abc import Callable

from slipform.runtime.embedded.source import Source

PLEASANT = tuple(
    """lovely excellent wonderful great fantastic brilliant superb amazing perfect delicious friendly helpful kind polite quick
fast beautiful comfortable clean cosy tasty fresh charming reliable solid sturdy affordable impressive outstanding pleasant
smooth stunning delightful terrific awesome marvellous flawless generous attentive spotless handy elegant splendid magnificent
good nice fabulous thoughtful efficient professional gorgeous relaxing welcoming fair prompt competent cheerful""".split()
)
UNPLEASANT = tuple(
    """awful terrible horrible disgusting rude unhelpful dirty cold slow broken useless faulty noisy overpriced expensive ugly
disappointing dreadful poor bad lousy stale bland tasteless unfriendly arrogant careless damaged defective cheap flimsy filthy
smelly boring annoying frustrating ridiculous unacceptable chaotic late wrong misleading unreliable worthless pathetic shameful
greasy soggy burnt cramped shabby incompetent hostile inedible clumsy scratched leaky confusing unbearable""".split()
)
PLAIN = tuple(
    """okay average fine normal ordinary acceptable standard mediocre usual decent passable unremarkable tolerable regular
adequate so-so middling neutral unspectacular fair typical""".split()
)
ASPECTS = tuple(
    """food service staff room waiter delivery product quality price app support hotel breakfast soup pizza coffee packaging
driver restaurant view location website sound picture battery screen fabric colour size fit taste smell atmosphere music bed
shower pool checkout manual setup design finish handling team answer repair book film concert trip flight seat dessert menu
owner manager doctor nurse lesson teacher course guide tour museum shop cashier phone laptop jacket shoes bag mattress kettle""".split()
)
SENTIMENT_FRAMES = (
    "The {aspect} was {adj}.",
    "The {aspect} was {adj} and the {aspect2} {adj2}.",
    "What a {adj} {aspect}!",
    "I found the {aspect} {adj}.",
    "{Adj} {aspect}.",
    "We thought the {aspect} was really {adj}.",
    "Honestly, the {aspect} is just {adj}.",
    "The {aspect} could not have been more {adj}.",
    "My {aspect} turned out to be {adj}.",
    "Such {adj} {aspect}, I have to say.",
    "The {aspect} is {adj}, and so is the {aspect2}.",
    "{Adj} and {adj2}, that sums up the {aspect}.",
    "Everything about the {aspect} was {adj}.",
    "Our {aspect} looked {adj}.",
    "The {aspect} seemed {adj} to me.",
    "I would call the {aspect} {adj}.",
    "A truly {adj} {aspect}.",
    "It was {adj}.",
    "It is {adj}, especially the {aspect}.",
    "How {adj} the {aspect} was!",
)
SENTIMENT_TAILS = {
    "positive": lambda s: s.pick(("I love it.", "Thank you!", "We will come back.", "Recommended.", "I'd buy it again.", "Very happy.", "Great job.", "I am delighted.", "Worth every penny.", "It made my day.", "Can't wait to return.", "I enjoyed it a lot.", "Keep it up.", "Five stars.", "We had so much fun.", "I'm a fan now.")),
    "negative": lambda s: s.pick(("I hate it.", "Never again.", "Stay away.", "I want a refund.", "I am angry.", "What a waste of money.", "I regret it.", "Very disappointed.", "We left early.", "One star.", "Avoid this place.", "I'm furious.", "Shame on you.", "We won't be back.", "I feel cheated.", "Nobody apologised.")),
    "neutral": lambda s: s.pick(("Nothing special.", "It does its job.", "Neither good nor bad.", "I have no strong opinion.", "It is what it is.", "Could be better, could be worse.", "I might try another one.", "It works.", "As expected.", "No complaints, no praise.", "It's alright.", "I guess it is fine.")),
}  # fmt: skip
SOON = ("right now", "immediately", "at once", "today", "within the hour", "in the next ten minutes", "this minute", "without delay", "straight away", "by tonight", "before noon today", "instantly", "as soon as humanly possible", "asap", "in an hour", "this very moment")  # fmt: skip
MIDDLE = ("this week", "in the next few days", "by Friday", "within a few days", "before the weekend", "in the coming days", "by the end of the week", "some time this week", "in a day or two", "by next Tuesday", "within three working days", "before Monday")  # fmt: skip
LATER = ("some day", "next month", "whenever you like", "when you have time", "in a few months", "at your leisure", "one day", "in the next release", "some time next year", "whenever it suits you", "after the holidays", "if you ever get round to it")  # fmt: skip
URGENT_FACTS = ("nobody can work", "everything has stopped", "we are losing customers", "the whole system is down", "people are stranded", "the water is running into the cellar", "our site is offline", "the patients are waiting", "we cannot ship anything", "the baby is freezing", "the show starts in an hour", "all screens are black", "the alarm does not stop", "our boss is furious", "there is smoke coming out", "the guests are already here")  # fmt: skip
CALM_FACTS = ("it is only cosmetic", "I just noticed it", "it is a tiny detail", "nobody minds it", "it is no big deal", "I am merely curious", "we hardly use it", "it looks a bit odd, that is all", "it is just an idea", "it works anyway")  # fmt: skip
MIDDLE_FACTS = ("we have a workaround", "it slows us down", "one of us is affected", "it happens now and then", "we can manage a few days", "some of the reports are late", "it is getting annoying", "we use the other one meanwhile")  # fmt: skip
URGENCY_FRAMES = (
    "I need this {when}.",
    "Please fix it {when}.",
    "Can you do it {when}?",
    "Please get back to me {when}.",
    "{When}, please.",
    "It has to be solved {when}.",
    "We need an answer {when}.",
    "Look at it {when}, please, {fact}.",
    "Please help {when}: {fact}.",
    "{Fact}.",
    "{Fact}, so please react {when}.",
    "Somebody should come {when}.",
    "It would be enough to do it {when}.",
    "Repair it {when}.",
    "I expect a reply {when}.",
    "Do it {when} because {fact}.",
)
KEYWORDS = {
    "billing": ("invoice", "bill", "payment", "charge", "credit card", "fee", "receipt", "direct debit", "VAT", "statement", "overcharged amount", "double charge", "bank transfer", "price on my bill", "payment reminder"),
    "technical": ("error message", "crash", "bug", "wifi", "login screen that freezes", "update", "black screen", "server error", "bluetooth", "sync", "printer driver", "app that closes itself", "PDF viewer", "broken button", "loading time", "screen", "software"),
    "shipping": ("delivery", "parcel", "courier", "tracking", "shipment", "package", "customs", "driver", "shipping address", "delivery date", "late parcel", "lost package", "postman", "tracking number"),
    "account": ("password", "user name", "login", "profile", "account", "sign-in", "two-factor code", "reset link", "locked account", "e-mail address of my account", "access", "verification code", "user account"),
    "returns": ("return", "refund", "exchange", "return label", "money back", "wrong size", "sending it back", "replacement", "item that does not fit", "return parcel", "refund of my purchase"),
    "feature request": ("new feature", "suggestion", "dark mode", "idea for the app", "export function", "wish", "improvement", "extra button", "reminder function", "calendar view", "widget", "offline mode", "proposal"),
    "cancellation": ("cancellation", "end of my subscription", "termination of the contract", "stopping the membership", "cancelling my plan", "quitting", "closing my subscription", "the end of my contract", "unsubscribing"),
    "sales": ("quote", "price list", "discount for large orders", "demo", "free trial", "bulk price", "licences for my team", "offer", "stock", "availability", "product range", "warranty before I buy"),
}  # fmt: skip
CATEGORY_FRAMES = (
    "I have a question about the {key}.",
    "It is about the {key}.",
    "There is a problem with the {key}.",
    "Something is wrong with the {key}.",
    "Please look into the {key}.",
    "I am writing because of the {key}.",
    "Who can help me with the {key}?",
    "This concerns the {key} and also the {key2}.",
    "{Key}!",
    "We need help with the {key}.",
    "Again trouble with the {key}.",
    "Could you check the {key} for me?",
    "Regarding the {key}: please call me.",
    "My message is about the {key}.",
)


def _adjectives(label: str) -> tuple[str, ...]:
    return {"positive": PLEASANT, "negative": UNPLEASANT, "neutral": PLAIN}[label]


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def sentiment(s: Source, label: str) -> str:
    adjectives = _adjectives(label)
    first, second, aspect, aspect2 = s.pick(adjectives), s.pick(adjectives), s.pick(ASPECTS), s.pick(ASPECTS)
    text = s.phrase(SENTIMENT_FRAMES).replace("{aspect}", aspect).replace("{aspect2}", aspect2)
    text = text.replace("{adj}", first).replace("{adj2}", second).replace("{Adj}", _upper_first(first))
    tail: Callable[[Source], str] = SENTIMENT_TAILS[label]
    return f"{text} {tail(s)}" if s.chance(0.35) else text


def urgency(s: Source, label: str) -> str:
    if label == "low" and s.chance(0.35):
        frame = s.pick(
            ("This is {x}.", "It is {x}.", "{X}.", "{X}, just so you know.", "It's {x} at all.", "I'd say it's {x}.")
        )
        words = s.pick(NOT_URGENT)
        return frame.replace("{x}", words).replace("{X}", _upper_first(words))
    when = s.pick({"high": SOON, "medium": MIDDLE, "low": LATER}[label])
    fact = s.pick({"high": URGENT_FACTS, "medium": MIDDLE_FACTS, "low": CALM_FACTS}[label])
    text = s.phrase(URGENCY_FRAMES).replace("{when}", when).replace("{When}", _upper_first(when))
    return text.replace("{fact}", fact).replace("{Fact}", _upper_first(fact))


def category(s: Source, label: str) -> str:
    words = KEYWORDS[label]
    key, key2 = s.pick(words), s.pick(words)
    text = s.phrase(CATEGORY_FRAMES).replace("{key}", key).replace("{key2}", key2)
    return text.replace("{Key}", _upper_first(key))


NOT_URGENT = ("not urgent", "not pressing", "no emergency", "not important", "no rush", "not time-critical", "low priority", "nothing urgent", "not in a hurry", "no hurry", "not critical")  # fmt: skip
REPLIES = {
    "yes": ("Yes", "Sure", "Of course", "Gladly", "Absolutely", "Count me in", "I'm in", "With pleasure", "Definitely", "Sounds good", "I'd love to", "Happy to come", "We'll be there", "That works for us", "I accept", "Looking forward to it", "Yes please", "We would love to come", "See you there", "Put us on the list"),
    "no": ("No", "Sorry, no", "I can't", "I can't make it", "We can't come", "Unfortunately not", "I have to decline", "I won't be there", "Not this time", "We are away", "I must say no", "I'd rather not", "That doesn't work for me", "Regrettably we cannot come", "Count me out", "I am busy that day", "I'm ill", "Impossible for me", "We have other plans", "Have fun without me"),
    "maybe": ("Maybe", "Perhaps", "Not sure yet", "I don't know yet", "It depends", "Let me check first", "I'll tell you later", "Possibly", "Hard to say", "We might come", "I need to think about it", "Ask me again next week", "If I find the time", "Can't promise anything", "Undecided so far", "I'll try"),
}  # fmt: skip
REPLY_TAILS = ("", "", "", " Thanks for asking.", " Greetings to all.", " What a lovely idea.", " The {aspect} is {adj}, by the way.", " My {aspect} needs me.", " Thank you for the invitation.", " Love to everyone.", " Kiss the little one.", " How is the {aspect}?")  # fmt: skip
SPAM_FRAMES = ("Win a free {aspect} now!", "Click here to get your {adj} {aspect}.", "{n}0% off every {aspect}, only today!", "You have been chosen to receive a {aspect}.", "Claim your prize: a {adj} {aspect}!!!", "Earn {n}000 dollars a week from home.", "Your {aspect} will be blocked, confirm your bank details here.", "Hot offer: {adj} {aspect} for nothing.", "Send us your card number and get {n} gifts.", "Lose {n} kilos in a week with this {aspect}!", "Urgent: verify your password at this link.", "Free money, no risk, act now!")  # fmt: skip
HAM_FRAMES = ("Shall we talk about the {aspect} later?", "I left the {aspect} at your place.", "Could you bring the {aspect} on Sunday?", "The {aspect} was {adj}, thanks for the tip.", "Dinner at {n}?", "I will be home around {n}.", "Please review my notes about the {aspect}.", "Here are the photos of the {aspect}.", "Mum asks about the {aspect}.", "Our meeting moves to {n} o'clock.", "Did you find the {aspect}?", "The {aspect} arrives tomorrow, can you sign for it?")  # fmt: skip


def reply(s: Source, label: str) -> str:
    text = s.pick(REPLIES[label]) + s.pick((".", "!", ",", " -", "..."))
    tail = s.phrase(REPLY_TAILS).replace("{aspect}", s.pick(ASPECTS)).replace("{adj}", s.pick(PLAIN))
    if s.chance(0.3):
        text = f"{text} {s.pick(REPLIES[label])}."
    return text + tail


def spam(s: Source, label: str) -> str:
    text = s.phrase(SPAM_FRAMES if label == "spam" else HAM_FRAMES)
    text = text.replace("{aspect}", s.pick(ASPECTS)).replace("{adj}", s.pick(PLEASANT))
    return text.replace("{n}", str(s.integer(2, 9)))


COMPOSERS: dict[str, Callable[[Source, str], str]] = {
    "sentiment": sentiment,
    "urgency": urgency,
    "category": category,
    "reply": reply,
    "spam": spam,
}


def composed(s: Source, concept: str, label: str) -> str | None:
    """A composed sentence that deserves `label`, or None where the concept has no composer for it."""
    if concept not in COMPOSERS or (concept == "category" and label not in KEYWORDS):
        return None
    return COMPOSERS[concept](s, label)
