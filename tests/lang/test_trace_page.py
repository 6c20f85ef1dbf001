"""The page of a trace in a browser: what a reader sees, does, and is safe from."""

import math
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

import slipform as sf
from slipform.lang.config import as_backend
from slipform.lang.run_trace import RunTrace
from slipform.lang.trace_record import Branch, Segment, TracedToken
from tests.browser import chromium
from tests.fakes import scripted_engine

NASTY = (
    '</script><script>document.title = "harmed"</script><img src=x onerror="document.title=1"> <!-- & "quoted" \'too\''
)


@sf.function
def story(s: sf.ProgramState, topic: str) -> None:
    s += "Tell of " + topic + ": " + sf.gen("person", regex='{"name": "[a-z]{3}", "age": [0-9]{2}}', temperature=0)
    ends = s.fork(3)
    ends += lambda index: f" (end {index}) " + sf.gen(f"end{index}", regex="(yes|no|maybe), the [a-z]{4}")
    inner = ends[1].fork(2)
    inner += lambda index: f" (inner {index}) " + sf.select(f"pick{index}", ["left", "right"])
    s += " and the rest " + sf.gen("rest", max_tokens=5, n=2)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def trace() -> Iterator[RunTrace]:
    with scripted_engine(model_seed=4) as engine:
        yield story.run(NASTY, backend=as_backend(engine), trace="full", seed=3).trace


Open = Callable[..., Page]


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a trace's page. Any message on the console, any error and any request fails the test."""
    troubles: list[str] = []
    pages: list[Page] = []

    def show(trace: RunTrace, **options: Any) -> Page:
        path = trace.save(tmp_path / "trace.html")
        page = browser.new_page(**options)
        pages.append(page)
        page.set_default_timeout(120_000)
        page.on("console", lambda message: troubles.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on(
            "request",
            lambda request: troubles.append(f"request: {request.url}") if request.url != path.as_uri() else None,
        )
        page.goto(path.as_uri())
        page.wait_for_selector("#text[data-drawn]")
        return page

    yield show
    for page in pages:
        page.close()
    assert not troubles


def shown_text(page: Page) -> str:
    """The text of the pane without the names of holes and without marks."""
    return str(
        page.evaluate(
            """() => {
                const copy = document.getElementById("text").cloneNode(true);
                const marks = copy.querySelectorAll(".tag, .cached, .forkmark, .role, .mark-end, .more, .samples");
                marks.forEach((mark) => mark.remove());
                return copy.textContent;
            }"""
        )
    )


def branch_text(trace: RunTrace, index: int) -> str:
    branch = trace.branches[index]
    if branch.parent is None:
        return branch.text
    own = trace.branches[branch.parent].segments[: branch.after]
    before = branch_text(trace, branch.parent).removesuffix(trace.branches[branch.parent].text)
    return before + "".join(segment.text for segment in own) + branch.text


def token(page: Page, place: int) -> Locator:
    return page.locator("#text .t").nth(place)


# What a reader sees


def test_the_page_shows_the_whole_text_and_the_counts(show: Open, trace: RunTrace) -> None:
    page = show(trace)
    assert page.title() == "story · Slipform trace"
    assert page.locator("h1").inner_text() == "story"
    assert shown_text(page) == trace.text
    counts = trace.counts
    summary = page.locator("#summary").inner_text()
    assert f"{counts.tokens} tokens" in summary
    assert f"{counts.sampled} sampled · {counts.forced} forced" in summary
    assert re.search(rf"\b{counts.passes}\npasses of the model", summary)
    sources = [t.source for segment in trace.branches[0].segments for t in segment.tokens]
    for source in ("sampled", "forced"):
        assert page.locator(f"#text .said > span > .t.{source}").count() == sources.count(source)


def test_hover_shows_the_alternatives_with_their_probabilities(show: Open, trace: RunTrace) -> None:
    page = show(trace)
    tokens = trace.branches[0].segments[1].tokens
    place = next(i for i, t in enumerate(tokens) if t.source == "sampled" and t.num_allowed < 100)  # type: ignore[operator]
    card = page.locator("#card")
    assert not card.is_visible()
    token(page, place).hover()
    assert card.is_visible()
    assert f"sampled out of {tokens[place].num_allowed} allowed tokens" in card.inner_text()
    rows = card.locator("tr:not(.rest)")
    assert rows.count() == 2 + len(tokens[place].alternatives)  # the head, the token itself
    taken = card.locator("tr.taken").inner_text()
    assert percent(tokens[place].logprob) in taken
    assert percent(tokens[place].constrained) in taken
    forbidden = [a for a in tokens[place].alternatives if a.constrained is None]
    assert card.locator("tr.forbidden:not(.rest)").count() == len(forbidden) > 0
    widths = card.locator("tr.taken .bars i").evaluate_all(
        "bars => bars.map((bar) => bar.getBoundingClientRect().width)"
    )
    assert widths[0] < widths[1], "under the mask it was likelier"
    page.mouse.move(2, 2)
    assert not card.is_visible()


def test_a_forced_token_says_so(show: Open, trace: RunTrace) -> None:
    page = show(trace)
    page.locator("#text .t.forced:not(.empty)").first.hover()
    text = page.locator("#card").inner_text()
    assert "forced: the constraint allowed no other token" in text
    assert "100 %" in text or "100.0 %" in text


def test_a_click_on_a_branch_shows_its_text(show: Open, trace: RunTrace) -> None:
    page = show(trace)
    items = page.locator("#tree .branch")
    assert items.count() == len(trace.branches) == 6
    for index in (2, 4, 5, 0):
        name = ".".join(map(str, trace.branches[index].path)) or "the program"
        items.filter(has_text=re.compile(rf"^(\d+)?\s*{re.escape(name)}\b")).first.click()
        page.wait_for_selector("#text[data-drawn]")
        assert shown_text(page) == branch_text(trace, index)
        assert page.locator('#tree [aria-current="true"]').count() == 1


def test_a_fork_in_the_text_leads_to_its_branches(show: Open, trace: RunTrace) -> None:
    page = show(trace)
    page.get_by_role("button", name="Show branch 2").click()
    page.wait_for_selector("#text[data-drawn]")
    assert shown_text(page) == branch_text(trace, 5)
    assert trace.branches[5].path == (2,)


def test_filters_dim_what_is_of_one_kind(show: Open, trace: RunTrace) -> None:
    page = show(trace)
    chip = page.locator('.chip[data-kind="forced"]')
    opacity = "element => getComputedStyle(element).opacity"
    forced, sampled = page.locator("#text .t.forced").first, page.locator("#text .t.sampled").first
    assert float(forced.evaluate(opacity)) == 1.0
    chip.click()
    assert chip.get_attribute("aria-pressed") == "false"
    assert float(forced.evaluate(opacity)) < 0.5
    assert float(sampled.evaluate(opacity)) == 1.0
    chip.click()
    assert float(forced.evaluate(opacity)) == 1.0
    page.locator('.chip[data-kind="text"]').click()
    assert not page.locator("#text .text").first.is_visible()


def test_tokens_can_be_shaded_by_how_unlikely_they_were(show: Open, trace: RunTrace) -> None:
    page = show(trace)
    shade = "element => Number(element.style.getPropertyValue('--shade'))"
    page.get_by_role("radio", name="surprise").click()
    tokens = trace.branches[0].segments[1].tokens
    for place, expected in enumerate(tokens):
        assert token(page, place).evaluate(shade) == pytest.approx(min(1, -expected.logprob / 2.302585 / 3), abs=1e-3)  # type: ignore[operator]
    page.get_by_role("radio", name="source").click()
    assert page.locator("#text[data-shade]").count() == 0


def test_the_timeline_has_a_bar_for_each_request(show: Open, trace: RunTrace) -> None:
    page = show(trace)
    bars = page.locator("#lanes .bar")
    assert bars.count() == len(trace.requests)
    spans = bars.locator(".frame").evaluate_all(
        "frames => frames.map((frame) => [Number(frame.getAttribute('x')), Number(frame.getAttribute('width'))])"
    )
    fills = {r.branch: spans[i] for i, r in enumerate(sorted_by_lane(trace)) if r.kind == "fill" and r.branch}
    (first, _), (second, width) = fills[1], fills[2]
    assert first < second + width, "branches of a fork overlap"
    bar = page.locator('#lanes .bar[aria-label*="end2"]')
    bar.hover()
    assert "fills end2" in page.locator("#card").inner_text()
    bar.click()
    page.wait_for_selector("#text[data-drawn]")
    assert shown_text(page) == branch_text(trace, 5)


def sorted_by_lane(trace: RunTrace) -> list[Any]:
    return sorted(trace.requests, key=lambda request: request.branch)


def test_everything_is_within_reach_of_the_keyboard(show: Open, trace: RunTrace) -> None:
    page = show(trace)
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            str(page.evaluate("document.activeElement.className.baseVal ?? document.activeElement.className"))
        )
        if reached[-1].startswith("t "):
            break
    assert any("bar" in kind for kind in reached)
    assert any("chip" in kind for kind in reached)
    assert any("branch" in kind for kind in reached)
    card = page.locator("#card")
    assert card.is_visible()
    first = card.locator("h3").inner_text()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.order") == 1
    page.keyboard.press("Enter")
    assert "pinned" in str(card.get_attribute("class"))
    page.mouse.move(5, 5)
    assert card.is_visible()
    page.keyboard.press("Escape")
    assert not card.is_visible()
    page.keyboard.press("ArrowLeft")
    assert card.locator("h3").inner_text() == first


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_light_and_dark(show: Open, trace: RunTrace, scheme: Any, is_dark: bool) -> None:
    page = show(trace, color_scheme=scheme)
    luminance = (
        "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3)"
        ".reduce((sum, part) => sum + Number(part) / 3, 0)"
    )
    assert (page.evaluate(luminance) < 128) == is_dark
    button = page.locator("#theme")
    button.click()
    assert page.evaluate(luminance) > 128
    button.click()
    assert page.evaluate(luminance) < 128


# What a reader is safe from


def test_nothing_in_a_trace_is_markup(show: Open) -> None:
    segments = (
        Segment("text", NASTY, role=NASTY),
        Segment("fill", NASTY, name=NASTY, constraint=NASTY, tokens=(TracedToken(NASTY, 1, "sampled"),), origin=NASTY),
        Segment("fill", state="failed", name=NASTY, error=NASTY),
    )
    nasty = RunTrace(
        program=NASTY,
        backend=NASTY,
        detail="full",
        began_at=0.0,
        branches=(
            Branch((), None, 0, 0, segments, {NASTY: NASTY, "list": [NASTY]}),
            Branch((0,), 0, 1, 0, segments, {NASTY: NASTY}),
        ),
        requests=(),
        arguments={NASTY: NASTY},
        error=NASTY,
        missing=(NASTY,),
    )
    page = show(nasty)
    page.locator("#text .t").first.hover()
    page.locator("#text .tag").first.hover()
    page.locator("#tree .branch").nth(1).click()
    assert page.title() == f"{NASTY} · Slipform trace"
    assert page.locator("h1").inner_text() == NASTY
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2
    assert NASTY in page.locator("#text").inner_text()


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.data += data


def test_the_page_asks_for_nothing_from_elsewhere(trace: RunTrace) -> None:
    parser = Tags()
    parser.feed(trace.to_html())
    for tag, attributes in parser.tags:
        assert tag not in ("link", "img", "iframe", "object", "base", "form")
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    (policy,) = [a["content"] for _, a in parser.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


# Long texts


def test_a_long_text_is_drawn_in_pieces_and_folded(show: Open) -> None:
    tokens = tuple(
        TracedToken(f"w{index} ", index, "sampled", num_allowed=9, step=index, cost_ms=1) for index in range(20_000)
    )
    long = Segment("fill", "".join(t.text for t in tokens), name="long", tokens=tokens)
    prompt = Segment("text", "x" * 300_000)
    trace = RunTrace("long", "a backend", "tokens", 0.0, (Branch((), None, 0, 0, (prompt, long)),), ())
    page = show(trace)
    assert page.locator("#text .t").count() == 20_000
    assert len(shown_text(page)) == len(long.text) + 3_000
    page.get_by_role("button", name="… 297,000 characters …").click()
    assert shown_text(page) == trace.text
    page.locator("#text .t").nth(10_000).hover()
    assert "w10000" in page.locator("#card").inner_text()


# Notebooks


def test_a_notebook_gets_the_text_without_scripts(trace: RunTrace) -> None:
    parser = Tags()
    shown = trace._repr_html_()
    parser.feed(shown)
    assert {tag for tag, _ in parser.tags} <= {"div", "span", "b", "details", "summary"}
    assert {name for _, attributes in parser.tags for name in attributes} <= {"style"}
    for branch in trace.branches:
        assert branch.text in parser.data
    assert "sampled" in parser.data
    assert "forced" in parser.data


def test_a_state_in_a_notebook(browser: Browser) -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += NASTY + sf.gen("answer")

    state = program.run(backend=sf.ScriptedBackend({"answer": "A" * 30_000}))
    shown = state._repr_html_()
    assert len(shown) < 25_000
    page = browser.new_page()
    page.set_content(shown)
    assert NASTY in page.inner_text("body")
    assert page.locator("img, script").count() == 0
    page.close()


def test_a_distribution_in_a_notebook() -> None:
    found = sf.score(
        "Yes or <no>? ", ["yes", "<no>"], backend=sf.ScriptedBackend({"scored": {"yes": 0.25, "<no>": 0.75}})
    )
    parser = Tags()
    parser.feed(found._repr_html_())
    assert parser.data == "yes25.0%<no>75.0%"
    widths = [a["style"].rsplit("width: ", 1)[1] for tag, a in parser.tags if tag == "div" and a["style"]]
    assert widths == ["25.00%", "75.00%"]


def percent(logprob: float | None) -> str:
    assert logprob is not None
    share = math.exp(logprob) * 100
    return f"{share:.1f} %" if share >= 10 else f"{share:.2f} %"
