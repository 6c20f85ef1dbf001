// The trace, and plain questions to it. Fields at their defaults are left out of the JSON.
const trace = JSON.parse(document.getElementById("trace").textContent);
trace.requests ??= [];
trace.branches.forEach((branch, index) => {
  branch.index = index;
  branch.segments ??= [];
  branch.path ??= [];
  branch.children = [];
  branch.segments.forEach((segment, place) => Object.assign(segment, { branch, place, text: segment.text ?? "" }));
});
trace.branches.forEach((branch) => branch.parent != null && trace.branches[branch.parent].children.push(branch));
trace.requests.forEach((request, index) => {
  request.index = index;
  request.segments = [];
});
for (const segment of trace.branches.flatMap((branch) => branch.segments)) {
  if (segment.request != null) trace.requests[segment.request].segments.push(segment);
}

const tokensOf = (segment) => segment.tokens ?? [];
const isHole = (segment) => ["fill", "call", "select"].includes(segment.kind);
const allSegments = trace.branches.flatMap((branch) => branch.segments);
const allTokens = allSegments.flatMap((s) => [...tokensOf(s), ...(s.samples ?? []).flatMap((x) => x.tokens ?? [])]);
const hasScores = allTokens.some((token) => token.logprob != null);
const hasMasks = allTokens.some((token) => token.num_allowed != null);

/** What a token's colour says: where it came from. */
const sourceOf = (token) => (["sampled", "forced", "closing"].includes(token.source) ? token.source : "unknown");

const branchName = (branch) => (branch.path.length ? `branch ${branch.path.join(".")}` : "the program");

/** A branch by what it fills, where that is short. */
const laneName = (branch) => {
  const names = branch.segments.filter(isHole).map((segment) => segment.name ?? "?");
  const shown = names.length ? ` ${[...new Set(names)].join(", ")}` : "";
  if (!branch.path.length) return "the program";
  return names.length ? `${branch.path.join(".")}${shown}` : branchName(branch);
};

/** The branch and all that it goes on from, as pairs of a branch and how many of its segments count; the root first. */
function lineage(branch) {
  const line = [[branch, branch.segments.length]];
  for (let at = branch; at.parent != null; at = trace.branches[at.parent]) {
    line.unshift([trace.branches[at.parent], at.after]);
  }
  return line;
}

const numbers = new Intl.NumberFormat("en");
const count = (number) => numbers.format(number);
const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : word.endsWith("ch") ? "es" : "s"}`;

function duration(seconds) {
  if (seconds == null) return "";
  if (seconds === 0) return "0";
  if (seconds >= 100) return `${seconds.toFixed(0)} s`;
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  return `${(seconds * 1e3).toFixed(seconds >= 0.1 ? 0 : seconds >= 0.001 ? 1 : 2)} ms`;
}

function percent(logprob) {
  const share = Math.exp(logprob) * 100;
  if (share >= 99.95 && share < 100) return "99.9 %";
  if (share >= 10) return `${share.toFixed(1)} %`;
  if (share >= 0.01) return `${share.toFixed(2)} %`;
  return share === 0 ? "0 %" : "< 0.01 %";
}

const shortened = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

/** An element with classes and content. Content is text or nodes and never markup, so nothing in a trace can be any. */
function el(tag, classes = "", ...content) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  element.append(...content.filter((part) => part != null));
  return element;
}

function svg(tag, attributes = {}, ...content) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...content);
  return element;
}

/** A text with its spaces and line ends to be seen. */
function visible(text) {
  const shown = document.createDocumentFragment();
  for (const part of text.split(/(^ +| +$|[\n\t])/)) {
    if (!part) continue;
    const sign = part.trim() ? null : part.replaceAll(" ", "·").replaceAll("\n", "↵").replaceAll("\t", "⇥");
    shown.append(sign ? el("span", "space", sign) : part);
  }
  if (!text) shown.append(el("span", "space", "(no text of its own)"));
  return shown;
}
