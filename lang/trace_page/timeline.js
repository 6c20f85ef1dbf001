// Requests over time: one lane a branch, so that what ran together stands above each other.
const LANE = 30;
const BAR = 16;
const LEFT = 104;
const RIGHT = 14;
const WIDTH = 1180;
const MAX_TICKS = 1500; // of tokens, in one bar

function drawTimeline() {
  const pane = document.getElementById("lanes");
  const requests = trace.requests.filter((request) => request.ended_s != null);
  const until = Math.max(0, ...requests.map((request) => request.ended_s));
  if (!until) {
    document.getElementById("timeline").hidden = true;
    return;
  }
  const lanes = [...new Set(requests.map((request) => request.branch))].sort((a, b) => a - b);
  const height = lanes.length * LANE + 24;
  const x = (seconds) => LEFT + (seconds / until) * (WIDTH - LEFT - RIGHT);
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "group", "aria-label": "Requests over time" });
  for (const at of niceTicks(until)) {
    picture.append(
      svg("line", { class: "grid", x1: x(at), x2: x(at), y1: 0, y2: height - 20 }),
      svg("text", { x: x(at), y: height - 6, "text-anchor": at ? "middle" : "start" }, tickLabel(at, until)),
    );
  }
  lanes.forEach((lane, index) => {
    const top = index * LANE + (LANE - BAR) / 2;
    picture.append(svg("text", { x: 0, y: top + BAR - 4 }, shortened(laneName(trace.branches[lane]), 17)));
    requests.filter((request) => request.branch === lane).forEach((request) => picture.append(requestBar(request, x, top)));
  });
  pane.append(picture, timelineKey(requests));
}

function requestBar(request, x, top) {
  const bar = svg("g", { class: `bar ${request.kind}${request.error ? " failed" : ""}`, tabindex: 0, role: "button" });
  bar.setAttribute("aria-label", `Request for ${request.segments.map((s) => s.name).join(", ") || "a prefix"}, ${duration(request.ended_s - request.sent_s)}`);
  const part = (kind, from, to) =>
    bar.append(svg("rect", { class: kind, x: x(from), y: top, width: Math.max(1, x(to) - x(from)), height: BAR, rx: 2 }));
  const begin = request.sent_s;
  if (request.queue_s == null || request.kind === "select") part("whole", begin, request.ended_s);
  else {
    const admitted = begin + request.queue_s;
    const first = request.segments.length ? begin + request.first_token_s : request.ended_s;
    part("queue", begin, admitted);
    part("prefill", admitted, Math.max(admitted, first));
    if (request.segments.length) part("decode", first, request.ended_s);
  }
  const tokens = request.segments.flatMap(tokensOf).filter((token) => token.at_s != null);
  if (tokens.length <= MAX_TICKS) {
    for (const token of tokens) {
      bar.append(svg("line", { class: `tick ${sourceOf(token)}`, x1: x(token.at_s), x2: x(token.at_s), y1: top + 3, y2: top + BAR - 3 }));
    }
  }
  part("frame", begin, request.ended_s);
  hasCard(bar, () => requestCard(request));
  bar.activate = () => request.segments.length && showBranch(request.segments[0].branch, request.segments[0]);
  bar.addEventListener("click", bar.activate);
  return bar;
}

const tickLabel = (at, until) => (at && until > 1.5 ? `${Number(at.toFixed(2))} s` : `${Number((at * 1e3).toFixed(2))} ms`);

function niceTicks(until) {
  const rough = until / 8;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  return Array.from({ length: Math.floor(until / step) + 1 }, (_, index) => index * step);
}

function timelineKey(requests) {
  const timed = requests.some((request) => request.queue_s != null);
  const kinds = timed ? [["queue", "queued"], ["prefill", "prefill"], ["decode", "writing, a line a token"]] : [];
  if (requests.some((request) => request.kind === "select")) kinds.push(["select", "select"]);
  return el("div", "key", ...kinds.map(([kind, name]) => el("span", "", el("i", kind), name)));
}
