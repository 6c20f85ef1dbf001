"""Function calling: a request, the tools at hand, and the calls that answer it as a JSON array (empty for none)."""

import json
from dataclasses import replace
from typing import Any

from slipform.runtime.embedded.examples import Example, Turn, assistant, compact_json, system, user
from slipform.runtime.embedded.source import Source
from slipform.runtime.embedded.tool_parts import SCHEMA_STEMS, Request, Tool, stems
from slipform.runtime.embedded.tools import (
    ACTIONS,
    CHATTER,
    alias,
    any_tool,
    composed_tool,
    held_out,
    state_request,
)

SYSTEMS = (
    "You are a helpful assistant.",
    "Answer with a JSON array of calls.",
    "You call functions. Answer with a JSON list of calls, or [] if no function fits.",
    "Use the tools below.",
    "You are an assistant with access to tools. Reply with the calls to make.",
    "Call the right tool.",
    "You can use these functions. Reply with JSON only.",
)
JSON_TYPES = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "date": "string",
    "time": "string",
    "strings": "array",
}
PYTHON_TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "date": "date",
    "time": "str",
    "strings": "list[str]",
}
# Tools that one wish may call as well as the other: never offered together.
ALIKE = tuple(
    frozenset(names.split())
    for names in (
        "get_weather get_forecast",
        "get_order_status track_parcel schedule_delivery",
        "send_message send_sms call_contact forward_email send_email",
        "set_timer start_timer set_alarm set_reminder",
        "set_reminder add_task add_note create_event",
        "create_event schedule_meeting book_appointment book_room",
        "log_expense approve_expense",
        "convert_currency exchange_rate convert_units",
        "translate translate_document",
        "add_to_cart place_order add_to_shopping_list order_food get_price",
        "lookup_customer create_contact search_email",
        "find_flight book_flight track_flight_price find_route",
        "find_route get_distance find_train",
        "play_music play_podcast play_movie",
        "refund_order return_item cancel_order",
        "book_table find_restaurant",
        "web_search find_recipe find_job define_word",
        "transfer_money pay_invoice donate",
        "set_temperature control_light set_volume",
        "multiply measure_area",
        "check_stock get_price",
        "update_address update_phone update_email",
        "close_ticket complete_task",
        "subscribe unsubscribe",
        "create_user grant_access share_file open_account",
        "log_meal count_calories",
        "order_drinks order_food place_order order_supplies order_spare_part request_equipment",
        "request_bill split_bill pay_invoice",
        "report_defect create_ticket schedule_repair report_outage report_pothole report_noise",
        "check_warranty register_warranty",
        "extend_loan reserve_book",
        "open_account close_account",
        "freeze_subscription unsubscribe subscribe upgrade_plan",
        "sell_shares get_stock_price",
        "get_news web_search",
        "find_parking pay_parking",
        "find_doctor book_appointment find_vet pet_appointment find_pharmacy refill_prescription schedule_service",
        "request_sick_note report_sick excuse_pupil file_leave set_out_of_office",
        "find_hike find_route",
        "rent_bike rent_car register_car",
        "find_carpool find_train find_route find_flight order_taxi",
        "book_museum buy_ticket find_concert",
        "check_in_flight flight_status find_flight add_luggage",
        "record_show play_movie",
        "create_playlist play_music identify_song",
        "translate translate_menu translate_document detect_language",
        "start_dishwasher start_washing preheat_oven set_temperature start_vacuum set_fan",
        "arm_alarm set_alarm lock_door",
        "print_document print_label scan_document",
        "rollback_release deploy_service restart_server scale_service",
        "ping_host check_certificate",
        "get_league_table get_score",
        "plan_shift swap_shift",
        "publish_job find_job hire_candidate reject_application invite_candidate",
        "invite_candidate schedule_meeting send_invitation book_appointment",
        "block_user delete_user block_card block_ip",
        "count_votes vote create_poll send_survey",
        "resize_image crop_image add_watermark convert_file",
        "roll_dice random_number",
        "list_expenses log_expense set_budget",
        "record_hours log_expense log_workout",
        "plan_menu find_recipe substitute_ingredient",
        "donate donate_blood",
        "lost_and_found collect_waste",
        "schedule_post send_message add_note create_event",
        "create_qr_code shorten_url",
        "rent_storage rent_apartment book_mover value_house",
        "report_accident file_claim",
        "send_flowers schedule_delivery",
        "calculate_loan estimate_tax",
        "find_charger find_parking charge_car",
        "ask_refund_status refund_order return_item get_order_status cancel_order",
        "change_seat check_in_flight add_luggage",
        "get_menu find_restaurant book_table",
        "track_calories count_calories log_workout",
        "notify_team send_message",
        "set_goal add_task set_reminder",
        "wake_up_call set_alarm set_timer",
        "explain_topic web_search define_word find_recipe",
        "clean_pool start_vacuum",
        "scan_network ping_host scan_document",
        "compare_prices get_price",
        "invest transfer_money sell_shares",
        "order_cheque request_equipment",
        "create_folder move_file delete_file convert_file",
    )
)
# Actions whose wordings overlap: with one object, only one of each set is offered.
NEAR_ACTIONS = tuple(
    frozenset(names.split())
    for names in (
        "get find list download copy",
        "create book",
        "send share assign",
        "archive download delete",
        "cancel delete reject",
        "update assign",
        "approve rate",
    )
)


class Offered:
    """A tool as one prompt offers it: with chosen parameter names and descriptions."""

    def __init__(self, s: Source, tool: Tool) -> None:
        self.tool = tool
        self.about = s.pick(tool.about)
        self.name = alias(s, tool.name)
        used: set[str] = set()
        self.names: dict[str, str] = {}
        for item in tool.parameters:
            free = [name for name in item.names if name not in used] or [f"{item.kind}_value"]
            name = free[0] if s.chance(0.35) else s.pick(free)
            used.add(name)
            self.names[item.kind] = name
        self.required = [self.names[p.kind] for p in tool.parameters[: tool.required]]

    def parameters(self, s: Source | None, described: bool) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        for item in self.tool.parameters:
            rule: dict[str, Any] = {"type": JSON_TYPES[item.type]}
            if item.options:
                rule["enum"] = list(item.options)
            if item.type == "strings":
                rule["items"] = {"type": "string"}
            if item.type == "date":
                rule["format"] = "date"
            if described and s is not None:
                rule["description"] = s.pick(item.about)
            properties[self.names[item.kind]] = rule
        return {"type": "object", "properties": properties, "required": self.required}

    def function(self, s: Source, described: bool) -> dict[str, Any]:
        return {"name": self.name, "description": self.about, "parameters": self.parameters(s, described)}

    def call(self, arguments: dict[str, object]) -> dict[str, Any]:
        """The call that the given values make, arguments in declared order."""
        chosen = {self.names[p.kind]: arguments[p.kind] for p in self.tool.parameters if p.kind in arguments}
        return {"name": self.name, "arguments": chosen}


def show_tools(s: Source, offered: list[Offered]) -> str:
    """The tools in a prompt: JSON per line, signatures, or a list in words."""
    described = s.chance(0.5)
    form = s.random.random()
    if form < 0.4:
        rows = [json.dumps(o.function(s, described), ensure_ascii=False) for o in offered]
        return "\n".join(rows)
    if form < 0.7:
        rows = []
        for o in offered:
            parts = []
            for item in o.tool.parameters:
                name = o.names[item.kind]
                type_ = PYTHON_TYPES[item.type]
                if item.options:
                    type_ = "Literal[" + ", ".join(f'"{option}"' for option in item.options) + "]"
                parts.append(f"{name}: {type_}" if name in o.required else f"{name}: {type_} = None")
            rows.append(f"{o.name}({', '.join(parts)}): {o.about}")
        mark = s.pick(("", "- ", "def "))
        return "\n".join(mark + row for row in rows)
    rows = []
    for o in offered:
        named = ", ".join(o.names[p.kind] for p in o.tool.parameters) or "no arguments"
        rows.append(f"- {o.name}: {o.about} ({named})")
    return "\n".join(rows)


def confusable(tool: Tool, other: Tool) -> bool:
    """Whether a request for one of them could mean the other."""
    if any({tool.name, other.name} <= names for names in ALIKE):
        return True
    verb, _, noun = tool.name.partition("_")
    other_verb, _, other_noun = other.name.partition("_")
    if not stems(noun) & stems(other_noun):
        return False
    if tool.composed and other.composed:
        return verb == other_verb or any({verb, other_verb} <= verbs for verbs in NEAR_ACTIONS)
    return tool.composed or other.composed


def offer(s: Source, wanted: list[Tool], count: int) -> list[Offered]:
    """`wanted` among distractors, some of which share an action or an object with them; in any order."""
    chosen = {tool.name: tool for tool in wanted}
    for _ in range(60):
        if len(chosen) >= count:
            break
        tool = any_tool(s)
        if wanted and wanted[0].composed and s.chance(0.4):
            verb, _, noun = wanted[0].name.partition("_")
            if verb in ACTIONS:
                noun = noun.removesuffix("s") if verb == "list" else noun
                other = composed_tool(s, action=verb) if s.chance(0.5) else composed_tool(s, obj=noun)
                base = other.name.removesuffix("s") if other.name.startswith("list_") else other.name
                if held_out(base) == (s.split == "heldout"):
                    tool = other
        if not any(confusable(tool, own) for own in wanted):
            chosen.setdefault(tool.name, tool)
    offered = {o.name: o for o in (Offered(s, tool) for tool in chosen.values())}
    missing = [tool for tool in wanted if tool.name not in {o.tool.name for o in offered.values()}]
    if missing:
        return offer(s, wanted, count)
    return s.shuffled(list(offered.values()))


def calls_schema(offered: list[Offered]) -> dict[str, Any]:
    """An array of calls, each of one of the tools with its own arguments."""
    branches = []
    for o in offered:
        arguments = {**o.parameters(None, False), "additionalProperties": False}
        branches.append(
            {
                "type": "object",
                "properties": {"name": {"const": o.name}, "arguments": arguments},
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
        )
    return {"type": "array", "items": {"anyOf": branches}, "maxItems": 2}


JOINERS = ("{a} and {b}", "{a}. Also, {b}", "{a}, and then {b}", "{a}. {b}", "{a}; {b}", "{a}. After that {b}", "First {a}, then {b}", "{a}\n{b}", "{a} + {b}", "{a} as well as {b}", "{a}, plus {b}", "{a}. And {b}")  # fmt: skip
CLEAR_JOINERS = ("{a}. Also, {b}", "{a}\n{b}", "{a}; {b}", "{a}\n\nAnd: {b}", "1. {a}\n2. {b}", "- {a}\n- {b}")


def request_for(s: Source, wanted: list[Tool]) -> tuple[str, list[dict[str, object]]]:
    """One request that calls each of `wanted` once, in order."""
    requests = [state_request(s, tool) for tool in wanted]
    stated = [request.arguments for request in requests]
    if len(requests) == 2:
        return joined_requests(s, requests[0], requests[1]), stated
    text = requests[0].text
    if s.chance(0.15):
        text = s.pick(("Hi! ", "Good morning. ", "Sorry to bother you. ", "I have a question. ", "Quick one: ", "Ok so ", "Hello there, ", "Hey. ")) + text  # fmt: skip
    if text.endswith((".", "!", "?")) and s.chance(0.12):
        text += s.pick((" Thanks!", " Thank you.", " It's urgent.", " Please be quick.", " thx", " Cheers"))
    return text, stated


def joined_requests(s: Source, first: Request, second: Request) -> str:
    """Two requests as one text. A value at the end of the first is not run into the second."""
    head = first.text if first.closes else first.text.rstrip(".!")
    tail = second.text
    if not second.opens and s.chance(0.5):
        tail = tail[:1].lower() + tail[1:]
    return s.pick(CLEAR_JOINERS if first.closes else JOINERS).replace("{a}", head).replace("{b}", tail)


def stray_request(s: Source, offered: list[Offered]) -> str | None:
    """A request, in one case of two, that no tool on offer answers: it shares no word with them."""
    if s.chance(0.5):
        return None
    words = frozenset().union(*(stems(f"{o.tool.name} {' '.join(o.tool.about)}") for o in offered))
    for _ in range(6):
        stray = any_tool(s)
        text, _ = request_for(s, [stray])
        alike = any(confusable(stray, o.tool) for o in offered)
        if not alike and not stems(f"{stray.name} {' '.join(stray.about)} {text}") & words:
            return text
    return None


def function_call(s: Source) -> Example:
    """Tools and one request: no call, one call, or two."""
    form = s.random.random()
    wanted: list[Tool] = []
    if form >= 0.14:
        wanted = [any_tool(s)]
        if form > 0.86:
            second = any_tool(s)
            if second.name != wanted[0].name and not confusable(second, wanted[0]):
                wanted.append(second)
    count = max(len(wanted), s.pick((1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8)))
    offered = offer(s, wanted, count)
    by_name = {o.tool.name: o for o in offered}
    if wanted:
        text, stated = request_for(s, wanted)
        calls = [by_name[t.name].call(a) for t, a in zip(wanted, stated, strict=True)]
    else:
        calls = []
        text = stray_request(s, offered) or s.phrase(CHATTER)
    shape = s.random.random()
    if shape < 0.62 or len(calls) != 1:
        example = _array_answer(s, offered, text, calls)
    elif shape < 0.82:
        example = _single_answer(s, offered, text, calls[0])
    else:
        example = _two_steps(s, offered, text, calls[0])
    return replace(example, linking=linking_stems(offered, wanted, text, calls))


def linking_stems(
    offered: list[Offered], wanted: list[Tool], text: str, calls: list[dict[str, Any]]
) -> tuple[str, ...]:
    """Stems of the tools' names and descriptions that a made-up word may stand for, in the tools and the request alike.

    Where the request shares no word with a wanted tool, that tool's words have to keep their meaning.
    """
    asked = stems(text)
    kept = SCHEMA_STEMS | stems(json.dumps([call["arguments"] for call in calls], default=str))
    free: frozenset[str] = frozenset()
    for o in offered:
        words = stems(f"{o.name} {o.about}")
        kept |= stems(" ".join([*o.names.values(), *(option for p in o.tool.parameters for option in p.options)]))
        if o.tool in wanted and not words & asked:
            kept |= words
        free |= words
    return tuple(sorted(free - kept))


def _array_answer(s: Source, offered: list[Offered], text: str, calls: list[dict[str, Any]]) -> Example:
    schema = calls_schema(offered)
    answer = assistant(compact_json(calls))
    if s.chance(0.5):
        described = s.chance(0.6)
        tools = tuple({"type": "function", "function": o.function(s, described)} for o in offered)
        turns: tuple[Turn, ...] = (user(text), answer)
        if s.chance(0.5):
            turns = (system(s.pick(SYSTEMS)), *turns)
        return Example("tool", turns, calls, schema, tools=tools)
    shown = s.pick(("Tools:\n", "Functions:\n", "Available tools:\n", "")) + show_tools(s, offered)
    if s.chance(0.6):
        return Example("tool", (system(f"{s.pick(SYSTEMS)}\n{shown}"), user(text), answer), calls, schema)
    return Example(
        "tool", (user(f"{shown}\n\n{s.pick(('Request: ', '', 'User: ', 'Task: '))}{text}"), answer), calls, schema
    )


def _single_answer(s: Source, offered: list[Offered], text: str, call: dict[str, Any]) -> Example:
    """Exactly one call, as one object."""
    schema = {"anyOf": calls_schema(offered)["items"]["anyOf"]}
    head = s.phrase(
        (
            "Answer with one call as JSON.",
            "Reply with a single JSON call.",
            'Return {"name": ..., "arguments": {...}}.',
            "Choose one function and answer with its call as a JSON object.",
            "Exactly one tool must be called. Answer with a JSON object.",
            "Write the call as one JSON object.",
            "One call, as JSON object.",
        )
    )
    shown = show_tools(s, offered)
    content = f"{head}\n{shown}"
    turns = (system(content), user(text)) if s.chance(0.6) else (user(f"{content}\n\n{text}"),)
    return Example("tool", (*turns, assistant(compact_json(call))), call, schema)


def _two_steps(s: Source, offered: list[Offered], text: str, call: dict[str, Any]) -> Example:
    """The tool's name first, its arguments in a second answer."""
    shown = show_tools(s, offered)
    question = s.phrase(("Which tool?", "Which function fits?", "Choose the tool.", "Name the tool to use.", "Pick a function.", "Answer with the name of the tool.", "Tool?"))  # fmt: skip
    turns: list[Turn] = []
    if s.chance(0.5):
        turns += [
            system(shown if s.chance(0.4) else f"{s.pick(SYSTEMS)}\n{shown}"),
            user(f"{text}\n{question}" if s.chance(0.6) else text),
        ]
    else:
        turns += [user(f"{shown}\n\n{text}\n\n{question}")]
    turns.append(assistant(str(call["name"])))
    ask = s.phrase(("Arguments as JSON.", "Now the arguments.", "Give the arguments as a JSON object.", "With which arguments?", "Fill in the arguments.", "Arguments?", "Write its arguments as JSON."))  # fmt: skip
    chosen = next(o for o in offered if o.name == call["name"])
    if s.chance(0.3):
        ask += " " + json.dumps(chosen.parameters(s, False))
    turns += [user(ask), assistant(compact_json(call["arguments"]))]
    schema = {**chosen.parameters(None, False), "additionalProperties": False}
    return Example("tool", tuple(turns), call["arguments"], schema)
