// What stands around the text: head, summary, filters, the tree of branches, variables.
function drawHead() {
  document.getElementById("program").textContent = trace.program;
  const began = new Date(trace.began_at * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
  document.getElementById("about").textContent = `${trace.backend} · ${began}`;
  const notices = document.getElementById("notices");
  if (trace.error) notices.append(el("p", "notice failed", `The run ended early: ${trace.error}`));
  if (trace.missing?.length) notices.append(el("p", "notice", `Not known: ${trace.missing.join(", ")}. ${remedy()}`));
}

function remedy() {
  if (trace.detail === "full") return "The backend does not report it.";
  return trace.detail === "tokens"
    ? 'A run with trace="full" notes log-probabilities.'
    : 'A run with trace=True notes times, one with trace="full" log-probabilities too.';
}

function drawSummary() {
  const pane = document.getElementById("summary");
  const sources = ["sampled", "forced", "closing", "unknown"];
  const made = sources.map((source) => [source, allTokens.filter((token) => sourceOf(token) === source).length]);
  if (allTokens.length) {
    const stack = el("div", "stack");
    for (const [source, number] of made.filter(([, n]) => n)) {
      const part = el("i", source);
      part.style.flexGrow = number;
      stack.append(part);
    }
    const words = made.filter(([, n]) => n).map(([source, n]) => `${count(n)} ${source === "unknown" ? "of unknown origin" : source}`);
    pane.append(el("div", "stat wide", el("b", "", `${plural(allTokens.length, "token")} `, el("small", "", "written")), stack, el("span", "", words.join(" · "))));
  }
  const steps = new Set(allTokens.filter((token) => token.step != null && token.cost_ms).map((token) => token.step));
  if (steps.size) stat(count(steps.size), "", "passes of the model");
  const asked = trace.requests.filter((request) => request.kind !== "prefix");
  const prompt = asked.reduce((sum, request) => sum + (request.prompt_len ?? 0), 0);
  const cached = asked.reduce((sum, request) => sum + (request.cached_len ?? 0), 0);
  if (prompt) stat(`${Math.round((100 * cached) / prompt)} %`, `${count(cached)} / ${count(prompt)}`, "of the prompt tokens cached");
  if (asked.length) stat(count(asked.length), "", `request${asked.length === 1 ? "" : "s"}${trace.branches.length > 1 ? ` over ${count(trace.branches.length)} branches` : ""}`);
  const ended = Math.max(0, ...trace.requests.map((request) => request.ended_s ?? 0));
  if (ended) stat(duration(ended), "", "until the last answer");
  function stat(value, more, label) {
    pane.append(el("div", "stat", el("b", "", value, more ? el("small", "", ` ${more}`) : null), el("span", "", label)));
  }
}

function drawFilters() {
  const pane = document.getElementById("filters");
  const of = (source) => allTokens.filter((token) => sourceOf(token) === source).length;
  const selected = allSegments.filter((segment) => segment.kind === "select").length;
  const untold = allSegments.filter((s) => isHole(s) && s.kind !== "select" && s.text && !tokensOf(s).length).length;
  const kinds = [
    ["sampled", "sampled", of("sampled")], ["forced", "forced", of("forced")], ["closing", "closing", of("closing")],
    ["unknown", "written", of("unknown") + untold], ["select", "selected", selected],
    ["text", "program text", allSegments.some((s) => s.kind === "text")], ["template", "template", allSegments.some((s) => s.kind === "template")],
  ];
  for (const [kind, label, number] of kinds) {
    if (!number) continue;
    const chip = el("button", "chip", el("i", kind), label, number === true ? null : el("small", "", count(number)));
    chip.type = "button";
    chip.dataset.kind = kind;
    chip.setAttribute("aria-pressed", "true");
    chip.addEventListener("click", () => {
      const isOff = textPane.classList.toggle(`off-${kind}`);
      chip.setAttribute("aria-pressed", String(!isOff));
    });
    pane.append(chip);
    if (kind === "template") chip.click();
  }
}

function drawShades() {
  const pane = document.getElementById("shades");
  const ways = [["source", "source"], hasScores && ["likelihood", "surprise"], hasMasks && ["allowed", "tokens allowed"]].filter(Boolean);
  if (ways.length < 2) return (pane.hidden = true);
  for (const [way, label] of ways) {
    const button = el("button", "", label);
    button.type = "button";
    button.setAttribute("role", "radio");
    button.setAttribute("aria-checked", String(way === "source"));
    button.addEventListener("click", () => {
      for (const other of pane.children) other.setAttribute("aria-checked", String(other === button));
      shadeBy(way);
    });
    pane.append(button);
  }
}

// The tree

function drawTree() {
  const pane = document.getElementById("tree");
  if (trace.branches.length < 2) return (pane.hidden = true);
  pane.append(el("h2", "", "Branches"));
  const add = (branch, depth) => {
    pane.append(treeItem(branch, depth));
    branch.children.forEach((child) => add(child, depth + 1));
  };
  add(trace.branches[0], 0);
}

function treeItem(branch, depth) {
  const tokens = branch.segments.flatMap(tokensOf).length;
  const hole = branch.segments.find((segment) => isHole(segment) && segment.text);
  const shown = (hole ?? branch.segments.find((segment) => segment.kind === "text"))?.text ?? "";
  const item = el("button", "branch", el("small", "", tokens ? count(tokens) : ""), el("b", "", branch.path.length ? shortened(laneName(branch), 20) : "the program"), el("span", "", shown.trim().slice(0, 80) || " "));
  item.type = "button";
  item.dataset.depth = depth;
  item.style.setProperty("--depth", Math.min(depth, 6));
  item.addEventListener("click", () => showBranch(branch));
  branch.item = item;
  return item;
}

function markTree(current) {
  for (const branch of trace.branches) branch.item?.setAttribute("aria-current", String(branch === current));
}

function showVariables(branch) {
  const pane = document.getElementById("variables");
  const all = Object.entries(branch.variables ?? {});
  pane.replaceChildren();
  if (all.length) pane.append(el("h2", "", `Variables of ${branchName(branch)}`));
  for (const [name, value] of all) {
    const shown = Array.isArray(value) ? value.map((part) => `· ${part}`).join("\n") : value;
    pane.append(el("div", "variable", el("b", "", name), el("span", "", shown.slice(0, 400))));
  }
  const isPlain = trace.branches.length < 2 && trace.branches.every((b) => !Object.keys(b.variables ?? {}).length);
  document.getElementById("body").classList.toggle("plain", isPlain);
  document.getElementById("side").hidden = isPlain;
}

// Colours: as the system, or as the reader wants them

function followTheme() {
  const button = document.getElementById("theme");
  const themes = [["", "◐", "as the system"], ["light", "☀", "light"], ["dark", "☾", "dark"]];
  let at = 0;
  const apply = () => {
    const [theme, sign, name] = themes[at];
    document.documentElement.dataset.theme = theme;
    button.textContent = sign;
    button.setAttribute("aria-label", (button.title = `Colours: ${name}`));
  };
  button.addEventListener("click", () => {
    at = (at + 1) % themes.length;
    apply();
  });
  apply();
}
