"""Which tools one request could mean alike: they are never offered together."""

import functools
from collections import Counter

from slipform.runtime.embedded.tool_parts import Tool, stems
from slipform.runtime.embedded.tool_sheets import sheet_tools

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


# Words of at least this share of the sheets' tools ("start", "number") say nothing of what a tool is for.
GENERAL_SHARE = 0.025


@functools.cache
def general_stems() -> frozenset[str]:
    """Stems of words that many tools have in common."""
    tools = sheet_tools()
    counts = Counter(stem for tool in tools for stem in stems(f"{tool.name} {' '.join(tool.about)}"))
    return frozenset(stem for stem, count in counts.items() if count >= GENERAL_SHARE * len(tools))


@functools.lru_cache(maxsize=8192)
def described(tool: Tool) -> frozenset[str]:
    """Stems of a tool's name and descriptions that tell what it is for."""
    return stems(f"{tool.name} {' '.join(tool.about)}") - general_stems()


@functools.lru_cache(maxsize=8192)
def spoken_of(tool: Tool) -> frozenset[str]:
    """The stems of `described` and of the tool's requests."""
    return described(tool) | (stems(" ".join(tool.requests)) - general_stems())


def confusable(tool: Tool, other: Tool) -> bool:
    """Whether a request for one of them could mean the other."""
    if any({tool.name, other.name} <= names for names in ALIKE):
        return True
    if tool.section != other.section:
        if {other.name, other.section} & tool.apart or {tool.name, tool.section} & other.apart:
            return True
        return bool(described(tool) & spoken_of(other) or described(other) & spoken_of(tool))
    if tool.section:
        return tool.name == other.name
    verb, _, noun = tool.name.partition("_")
    other_verb, _, other_noun = other.name.partition("_")
    if not stems(noun) & stems(other_noun):
        return False
    if tool.composed and other.composed:
        return verb == other_verb or any({verb, other_verb} <= verbs for verbs in NEAR_ACTIONS)
    return tool.composed or other.composed
