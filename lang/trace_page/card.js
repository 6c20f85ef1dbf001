// The card beside a token, a hole or a request: shown on hover and on focus, pinned by a click or by Enter.
const card = document.getElementById("card");
let cardOwner = null;
let isPinned = false;

/** Make `owner` show the card that `build` makes. */
function hasCard(owner, build) {
  owner.cardOf = build;
}

function showCard(owner) {
  if (cardOwner === owner) return;
  hideCard();
  cardOwner = owner;
  owner.classList.add("current");
  card.replaceChildren(...owner.cardOf());
  card.hidden = false;
  owner.setAttribute("aria-describedby", "card");
  const at = owner.getClientRects()[0] ?? owner.getBoundingClientRect();
  const size = card.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - size.width - 8));
  const below = at.bottom + 7;
  const top = below + size.height > innerHeight && at.top - size.height - 7 > 0 ? at.top - size.height - 7 : below;
  card.style.left = `${left + scrollX}px`;
  card.style.top = `${top + scrollY}px`;
}

function hideCard() {
  if (!cardOwner) return;
  cardOwner.classList.remove("current");
  cardOwner.removeAttribute("aria-describedby");
  cardOwner = null;
  isPinned = false;
  card.hidden = true;
  card.classList.remove("pinned");
}

function pinCard(owner) {
  const again = isPinned && cardOwner === owner;
  hideCard();
  if (again) return;
  showCard(owner);
  isPinned = true;
  card.classList.add("pinned");
}

function ownerOf(node) {
  for (let at = node; at && at !== document; at = at.parentNode) if (at.cardOf) return at;
  return null;
}

document.addEventListener("pointerover", (event) => {
  if (isPinned || card.contains(event.target)) return;
  const owner = ownerOf(event.target);
  if (owner) showCard(owner);
  else hideCard();
});
document.addEventListener("focusin", (event) => {
  const owner = ownerOf(event.target);
  if (owner && !(isPinned && cardOwner === owner)) {
    hideCard();
    showCard(owner);
  }
});
document.addEventListener("click", (event) => {
  if (card.contains(event.target)) return;
  const owner = ownerOf(event.target);
  if (owner) pinCard(owner);
  else hideCard();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideCard();
  const owner = ownerOf(event.target);
  if (owner && (event.key === "Enter" || event.key === " ") && owner.tagName !== "BUTTON") {
    event.preventDefault();
    owner.activate?.();
    pinCard(owner);
  }
});

const facts = (pairs) => {
  const list = el("dl");
  for (const [name, value] of pairs) if (value != null && value !== "") list.append(el("dt", "", name), el("dd", "", value));
  return list.childElementCount ? list : null;
};

// Cards

const HOW = {
  sampled: (token) =>
    token.num_allowed == null ? "sampled" : `sampled out of ${plural(token.num_allowed, "allowed token")}`,
  forced: () => "forced: the constraint allowed no other token",
  closing: () => "closing: the tokens ran out, so the shortest way to a match was written",
  recoded: () => "written again: a stop cut the token that this is the beginning of",
};

function tokenCard(token) {
  const how = HOW[token.source];
  const parts = [
    el("h3", "", visible(token.text)),
    el("p", "", how ? how(token) : "written by the model; the backend does not say how"),
    token.text ? null : el("p", "soft", "It spells the end of the text before it again, or a part of a character."),
    scoreTable(token),
    facts([
      ["token id", Number.isSafeInteger(token.token_id) ? count(token.token_id) : null],
      ["known at", duration(token.at_s)],
      ["engine step", token.step == null ? null : `${count(token.step)}, ${token.cost_ms.toFixed(2)} ms a token`],
    ]),
  ];
  card.style.setProperty("--hue", `var(--${sourceOf(token)})`);
  return parts.filter((part) => part);
}

/** The token and its alternatives, with their probabilities before the mask and under it. */
function scoreTable(token) {
  if (token.logprob == null) return null;
  const taken = { text: token.text, logprob: token.logprob, constrained: token.constrained, taken: true };
  const rows = [taken, ...(token.alternatives ?? [])].sort((a, b) => b.logprob - a.logprob);
  const masked = rows.some((row) => row.constrained != null);
  const head = el("tr", "", el("th", "", "token"), el("th"), el("th", "", "model"), masked ? el("th", "", "allowed") : null);
  const body = rows.map((row) => {
    const forbidden = masked && row.constrained == null;
    return el(
      "tr",
      row.taken ? "taken" : forbidden ? "forbidden" : "",
      el("td", "token", visible(row.text)),
      el("td", "bars", bar("model", row.logprob), masked && !forbidden ? bar("masked", row.constrained) : null),
      el("td", "number", percent(row.logprob)),
      masked ? el("td", "number", forbidden ? "forbidden" : percent(row.constrained)) : null,
    );
  });
  const table = el("table", "", head, ...body);
  const rest = 1 - rows.reduce((sum, row) => sum + Math.exp(row.logprob), 0);
  if (rest > 0.00005) {
    table.append(el("tr", "forbidden rest", el("td", "soft", "all others"), el("td", "bars", bar("model", Math.log(rest))), el("td", "number", percent(Math.log(rest)))));
  }
  return table;
}

function bar(kind, logprob) {
  const line = el("i", kind);
  line.style.width = `${Math.max(0.5, Math.exp(logprob) * 100)}%`;
  return line;
}

function choiceCard(segment) {
  const rows = segment.choices.map((choice) =>
    el("tr", choice.text === segment.text ? "taken" : "", el("td", "token", visible(choice.text)),
      el("td", "bars", bar("masked", Math.log(choice.probability))), el("td", "number", percent(Math.log(choice.probability)))),
  );
  card.style.setProperty("--hue", "var(--select)");
  return [
    el("h3", "", visible(segment.text)),
    el("p", "", `selected out of ${plural(segment.choices.length, "choice")}`),
    el("table", "", ...rows),
    facts([["entropy", `${segment.entropy.toFixed(3)} nats`], ["margin", segment.margin.toFixed(3)], ["line", segment.origin]]),
  ];
}

function holeCard(segment) {
  const request = segment.request == null ? null : trace.requests[segment.request];
  const tokens = tokensOf(segment);
  const made = ["sampled", "forced", "closing"].map((source) => [tokens.filter((t) => t.source === source).length, source]);
  const options = Object.entries(segment.sampling ?? {}).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return [
    el("h3", "", segment.name ?? "(no name)"),
    el("p", "soft", segment.constraint ?? ""),
    segment.error ? el("p", "problem", segment.error) : null,
    facts([
      ["tokens", tokens.length ? made.filter(([n]) => n).map(([n, word]) => `${count(n)} ${word}`).join(", ") || count(tokens.length) : null],
      ["ended by", endOf(segment)],
      ["sampling", options.join(", ")],
      ["seed", segment.seed == null ? null : String(segment.seed)],
      ["prefix cache", request && request.prompt_len ? `${count(request.cached_len)} of ${count(request.prompt_len)} tokens before the request's first hole` : null],
      ["masks", segment.mask_ms == null ? null : `${segment.mask_ms.toFixed(2)} ms`],
      ["request", request ? request.request_id : null],
      ["line", segment.origin],
      ...(segment.calls ?? []).map((call) => [call.failed ? "failed call" : "call", `${call.tool}(${call.arguments}) → ${call.told}`]),
    ]),
  ].filter((part) => part);
}

function endOf(segment) {
  if (segment.closed) return "its budget, closed with a match";
  if (segment.finish_reason === "length") return "its budget: it was cut";
  if (segment.matched_stop != null) return `the stop ${JSON.stringify(segment.matched_stop)}`;
  return segment.finish_reason === "stop" ? "itself" : segment.finish_reason;
}

function requestCard(request) {
  const names = request.segments.map((segment) => segment.name ?? "a hole");
  const kind = { fill: "fills", select: "selects", prefix: "computes a prefix that branches share" }[request.kind];
  return [
    el("h3", "", `${kind} ${names.join(", ")}`),
    el("p", "soft", `${branchName(trace.branches[request.branch])} · ${request.request_id}`),
    request.error ? el("p", "problem", request.error) : null,
    facts([
      ["sent at", duration(request.sent_s)],
      ["queued", duration(request.queue_s)],
      ["prefill", request.first_token_s == null || !request.segments.length ? null : duration(request.first_token_s - request.queue_s)],
      ["first text", request.first_token_s == null && request.first_text_s != null ? `${duration(request.first_text_s - request.sent_s)} after sending` : null],
      ["in all", duration(request.total_s ?? (request.ended_s == null ? null : request.ended_s - request.sent_s))],
      ["prompt", request.prompt_len ? `${plural(request.prompt_len, "token")}, ${count(request.cached_len)} of them cached` : null],
    ]),
  ].filter((part) => part);
}
