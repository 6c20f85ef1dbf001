// The text of one branch: messages, tokens, marks of forks and of the cache. Long texts come in pieces.
const textPane = document.getElementById("text");
const TOKENS_A_FRAME = 2000;
const FOLD_CHARS = 6000; // program text longer than this is folded
const FOLD_KEPT = 1500;
let shownBranch = null;
let drawing = 0; // number of the current drawing; an older one stops
let shownTokens = [];

function showBranch(branch, segment = null) {
  const isNew = shownBranch !== branch;
  shownBranch = branch;
  if (isNew) {
    hideCard();
    markTree(branch);
    drawText(branch);
    showVariables(branch);
  }
  if (segment?.element) {
    segment.element.scrollIntoView({ block: "center" });
    segment.element.focus({ preventScroll: true });
  }
}

function drawText(branch) {
  const mine = ++drawing;
  textPane.replaceChildren();
  textPane.setAttribute("aria-label", `Text of ${branchName(branch)}`);
  shownTokens = [];
  const later = [];
  let message = null;
  let chars = 0;
  const cacheMarks = cacheMarksOf(branch);
  for (const [owner, upTo] of lineage(branch)) {
    const isShared = owner !== branch;
    for (let place = 0; place <= owner.segments.length && place <= upTo; place += 1) {
      const forked = owner.children.filter((child) => child.after === place);
      if (forked.length) {
        textPane.append(forkMark(forked, branch));
        message = null;
      }
      if (place === upTo) break;
      const segment = owner.segments[place];
      const role = segment.role ?? (segment.kind === "template" ? "" : null);
      if (!message || message.role !== role || message.isShared !== isShared) {
        message = startMessage(role, isShared);
        textPane.append(message.element);
      }
      drawSegment(segment, message.said, later, cacheMarks, chars);
      chars += segment.text.length;
    }
  }
  if (!textPane.childElementCount) textPane.append(el("p", "forkmark", "No text."));
  drawLater(later, mine);
}

function startMessage(role, isShared) {
  const said = el("div", "said");
  const classes = `message${isShared ? " shared" : ""}${role === "" ? " only-template" : ""}`;
  return { element: el("div", classes, el("div", "role", role || ""), said), said, role, isShared };
}

function forkMark(children, current) {
  const mark = el("div", "forkmark", `Fork into ${plural(children.length, "branch")}`);
  for (const child of children) {
    const button = el("button", "", child.path.join("."));
    button.type = "button";
    button.setAttribute("aria-label", `Show ${branchName(child)}`);
    button.addEventListener("click", () => showBranch(child));
    if (child !== current) mark.append(button);
    else mark.append(el("b", "", child.path.join(".")));
  }
  return mark;
}

/** Where in the branch's text the part that came out of the prefix cache ends, by request. */
function cacheMarksOf(branch) {
  const owners = new Map(lineage(branch));
  return trace.requests
    .filter((request) => request.cached_chars && owners.has(trace.branches[request.branch]))
    .filter((request) => request.segments.some((segment) => segment.place < owners.get(segment.branch)))
    .map((request) => ({ at: request.cached_chars, request }));
}

function drawSegment(segment, said, later, cacheMarks, begin) {
  if (!isHole(segment)) {
    drawKnown(segment, said, cacheMarks, begin);
    return;
  }
  const tag = el("button", `tag${segment.finish_reason === "length" ? " length" : ""}${segment.state === "failed" ? " failed" : ""}`, `${segment.kind === "call" ? "call " : ""}${segment.name ?? segment.kind}`);
  tag.type = "button";
  hasCard(tag, () => (segment.choices ? choiceCard(segment) : holeCard(segment)));
  segment.element = tag;
  said.append(tag);
  if (segment.state) said.append(el("span", segment.state === "failed" ? "problem" : "space", segment.state === "failed" ? segment.error : "…"));
  if (segment.kind === "select") {
    if (segment.text) said.append(focusable(el("span", "t select", segment.text), () => choiceCard(segment)));
    return;
  }
  const slot = el("span");
  said.append(slot);
  if (tokensOf(segment).length) later.push({ slot, tokens: segment.tokens });
  else if (segment.text) slot.append(focusable(el("span", "t unknown", segment.text), () => holeCard(segment)));
  if (segment.written != null) said.append(el("span", "space", " (thoughts are left out of the text)"));
  if (segment.samples?.length) said.append(samplesOf(segment, later));
}

function samplesOf(segment, later) {
  const all = el("details", "samples", el("summary", "", `${plural(segment.samples.length, "further sample")}`));
  for (const sample of segment.samples) {
    const slot = el("div");
    if (sample.tokens?.length) later.push({ slot, tokens: sample.tokens });
    else slot.append(sample.text);
    all.append(slot);
  }
  return all;
}

/** Program or template text, folded where it is long, with the marks that lie in it. */
function drawKnown(segment, said, cacheMarks, begin) {
  const { text, kind } = segment;
  const marks = cacheMarks.filter(({ at }) => at > begin && at <= begin + text.length).sort((a, b) => a.at - b.at);
  let done = 0;
  for (const { at, request } of marks) {
    said.append(known(text.slice(done, at - begin), kind));
    const mark = el("span", "cached", `↑ ${plural(request.cached_len, "token")} from the cache`);
    hasCard(mark, () => requestCard(request));
    mark.tabIndex = 0;
    said.append(mark);
    done = at - begin;
  }
  const rest = text.slice(done);
  if (rest.length <= FOLD_CHARS) {
    said.append(known(rest, kind));
    return;
  }
  const fold = el("button", "more", `… ${count(rest.length - 2 * FOLD_KEPT)} characters …`);
  fold.type = "button";
  const middle = rest.slice(FOLD_KEPT, -FOLD_KEPT);
  fold.addEventListener("click", () => fold.replaceWith(known(middle, kind)));
  said.append(known(rest.slice(0, FOLD_KEPT), kind), fold, known(rest.slice(-FOLD_KEPT), kind));
}

const known = (text, kind) => el("span", kind, kind === "template" ? text.replaceAll("\n", "↵") : text);

/** Fill the slots of tokens, some in each frame, so that the page answers while a long text is drawn. */
function drawLater(later, mine) {
  let at = 0;
  const frame = () => {
    if (mine !== drawing) return;
    let room = TOKENS_A_FRAME;
    while (room > 0 && at < later.length) {
      const job = later[at];
      const begin = job.done ?? 0;
      const end = Math.min(job.tokens.length, begin + room);
      job.slot.append(...job.tokens.slice(begin, end).map(tokenElement));
      job.done = end;
      room -= end - begin;
      if (end === job.tokens.length) at += 1;
    }
    if (at < later.length) requestAnimationFrame(frame);
    else textPane.dataset.drawn = String(mine);
  };
  delete textPane.dataset.drawn;
  frame();
}

function tokenElement(token) {
  const element = el("span", `t ${sourceOf(token)}${token.text ? "" : " empty"}`);
  const lines = token.text.split("\n");
  lines.forEach((line, index) => {
    if (index) element.append(el("span", "mark-end", "↵"), "\n");
    element.append(line);
  });
  element.token = token;
  shade(element);
  return focusable(element, () => tokenCard(token));
}

/** One stop of the Tab key for all tokens; arrows go from one to the next. */
function focusable(element, build) {
  hasCard(element, build);
  element.tabIndex = shownTokens.length ? -1 : 0;
  element.order = shownTokens.push(element) - 1;
  return element;
}

textPane.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const at = event.target.order;
  if (!step || at == null) return;
  event.preventDefault();
  const next = shownTokens[at + step];
  if (!next) return;
  event.target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});

// Shades

let shadedBy = "source";

/** How strongly a token is shaded, from 0 to 1: how unlikely it was, or how many tokens were allowed. */
const SHADES = {
  likelihood: (token) => (token.logprob == null ? 0 : Math.min(1, -token.logprob / Math.log(10) / 3)),
  allowed: (token) => (token.num_allowed == null ? 0 : Math.min(1, Math.log10(Math.max(1, token.num_allowed)) / 5)),
};

function shade(element) {
  if (SHADES[shadedBy] && element.token) element.style.setProperty("--shade", SHADES[shadedBy](element.token).toFixed(3));
}

function shadeBy(what) {
  shadedBy = what;
  if (what === "source") delete textPane.dataset.shade;
  else textPane.dataset.shade = what;
  shownTokens.forEach(shade);
}
