"""How an extraction is put into words: the instruction, the system text, and the frame around the passage."""

from slipform.runtime.embedded.documents import Document
from slipform.runtime.embedded.source import Source

INSTRUCTIONS = (
    "Extract the {noun} as JSON.",
    "Extract the fields below from the {noun} as JSON.",
    "Read the {noun} and fill in the JSON object.",
    "Pull out the following information as JSON.",
    "Return a JSON object with the fields of the schema.",
    "Turn this {noun} into JSON.",
    "Extract the data as JSON.",
    "Fill the schema from the text.",
    "Give me the details of this {noun} as a JSON object.",
    "Parse the {noun}.",
    "Convert the {noun} to a JSON object that matches the schema.",
    "Which values does the {noun} state? Answer in JSON.",
    "Please extract these fields from the text.",
    "I need the following fields from this {noun}, as JSON.",
    "Extract structured data.",
    "Find the values in the text and answer with JSON only.",
    "Get the information out of the {noun}.",
    "Write the facts of this {noun} as JSON.",
    "Respond with one JSON object.",
    "Extract:",
    "Extract the information from the {noun}.",
    "Read this {noun}. Answer with JSON.",
    "What does it say? Fill in the fields.",
    "Summarise the {noun} as a JSON object with the given keys.",
    "Return only JSON.",
    "Extract a JSON object from the message below.",
    "Fill in this form from the {noun}.",
    "List the requested details of the {noun} as JSON.",
    "Extract the {noun}.",
    "Extract this {noun} into JSON.",
    "Get the details.",
    "Read this and fill the form.",
    "{noun} to JSON",
    "Fill out the record for this {noun}.",
    "Pull the facts out of this {noun}.",
    "Return the record.",
    "Can you extract the details from this {noun}?",
    "Please read the {noun} and give me the fields.",
    "Extract the following fields.",
    "Take this {noun} apart into fields.",
    "I need this {noun} as structured data.",
    "Transform the {noun} into an object with these keys.",
    "Summarize this {noun} in JSON.",
    "Answer with the object that the schema describes.",
    "Put the {noun} into this form.",
    "What do these fields hold?",
    "Read it and return the fields.",
    "Complete the following object.",
    "From the {noun}, fill every field.",
    "Make a JSON object of this.",
    "Give back an object with these properties.",
    "Use the {noun} to answer in JSON.",
    "Record what the {noun} says.",
    "Enter the data of this {noun}.",
    "Structure the text.",
    "Do the data entry for this {noun}.",
    "Map the {noun} onto the schema.",
    "Show me the fields as JSON.",
    "Tell me in JSON what it says.",
    "Produce the JSON for this {noun}.",
    "Look for the values of these fields.",
    "Help me fill this in.",
    "Key facts as JSON, please.",
    "Digest this {noun} into a record.",
    "Populate the schema.",
    "Here is a schema and a {noun}.",
    "Would you extract these?",
    "Prepare a JSON record.",
    "Answer in the given format.",
    "Only the object, nothing else.",
    "The {noun} below contains the following data. Extract it.",
    "Find these.",
    "json please",
    "Generate a JSON object with the information from the {noun}.",
    "Identify the values stated in the {noun}.",
    "Analyse the {noun}.",
    "Process this {noun}.",
    "Enter it into the database: one object.",
    "Fill in:",
    "Write one JSON object that holds the facts.",
    "Break the {noun} down into its fields.",
    "Convert it.",
    "Scan the {noun} for these fields.",
    "Note the following details as JSON.",
)
SYSTEMS = (
    "You extract data from text. Answer with JSON only.",
    "You are a helpful assistant.",
    "You turn messages into typed records.",
    "Extract structured information.",
    "You read documents and return JSON.",
    "You are an information extraction system. Use null for what is not stated.",
    "Answer with a JSON object that matches the schema.",
    "You are a careful assistant that fills in forms.",
    "Extract the requested fields. Copy values exactly.",
    "You are a precise data extraction engine.",
    "You work for the back office and read its mail.",
    "Be concise.",
)
PASSAGE_LABELS = ("Text:\n", "Text: ", "{Noun}:\n", "{Noun}: ", "Message:\n", "Input:\n", "Here it is:\n", "Document:\n", "Passage: ", "Email: ")  # fmt: skip


def show_passage(s: Source, document: Document) -> str:
    noun = s.pick(document.domain.nouns)
    form = s.random.random()
    if form < 0.3:
        return document.text
    if form < 0.7:
        return s.pick(PASSAGE_LABELS).replace("{Noun}", noun.capitalize()) + document.text
    if form < 0.8:
        return f'"""\n{document.text}\n"""'
    if form < 0.87:
        return f"<text>\n{document.text}\n</text>"
    if form < 0.94:
        return f'"{document.text}"'
    return f"---\n{document.text}\n---"


INSTRUCTION_PARTS = (
    ("Extract", "Pull out", "Get", "Give me", "Find", "Collect", "Read off", "Return", "Write down", "Identify", "Parse", "Determine", "Gather", "Fill in", "Please extract", "I need", "Capture", "Report"),
    ("the details", "the data", "the facts", "the information", "the fields", "all fields", "the key facts", "the record", "these values", "the following", "what is asked", "the values", "a record", "the relevant details"),
    ("from this {noun}", "from the {noun}", "in the {noun}", "of this {noun}", "from the text below", "from the text", "", "out of the {noun}", "given in the {noun}"),
    (" as JSON", " in JSON", " as a JSON object", " as structured data", "", "", " (JSON)", " in JSON format", ", JSON only"),
    (".", ".", ":", "", "!"),
)  # fmt: skip


def write_instruction(s: Source, noun: str) -> str:
    """What to do, in one of a few thousand wordings."""
    if s.chance(0.45):
        return s.phrase(INSTRUCTIONS).replace("{noun}", noun)
    verb, what, where, form, end = (s.phrase(parts) for parts in INSTRUCTION_PARTS)
    return f"{verb} {what} {where.replace('{noun}', noun)}".strip() + form + end
