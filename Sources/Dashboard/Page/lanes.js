// The latest cycles, and the swim lanes of one of them.

import { byId, h, keyed, set, write } from "./dom.js";
import { clean, clock, duration, plural, shorten } from "./text.js";

const SIGNS = { running: "●", ok: "✓", failed: "✗", cancelled: "–" };
const SHOWN = 12;

const rows = new Map();
let cycles = new Map();
let order = [];
let chosen = null;
let ask = () => {};

export function setUpLanes(why) {
  ask = why;
  byId("latest").addEventListener("click", () => choose(null));
}

export function choose(number) {
  chosen = number !== null && cycles.has(number) ? number : null;
  draw();
}

export function showCycles(changes) {
  if (changes.cycleOrder) {
    order = changes.cycleOrder;
    for (const number of [...cycles.keys()]) if (!order.includes(number)) cycles.delete(number);
    if (chosen !== null && !cycles.has(chosen)) chosen = null;
  }
  for (const cycle of changes.cycles ?? []) cycles.set(cycle.number, cycle);
  draw();
}

export const latestChange = () =>
  [...order].reverse().flatMap((number) => cycles.get(number)?.changes ?? [])[0];

export const recentChanges = () =>
  [...new Set([...order].reverse().flatMap((number) => cycles.get(number)?.changes ?? []))].slice(0, 30);

/** The end of the time axis; of a cycle that runs it moves. */
function length(cycle) {
  const ends = [...cycle.shared, ...cycle.images].flatMap((lane) => lane.spans).map((span) => span.to ?? span.from);
  const running = cycle.status === "running" ? Date.now() - Date.parse(cycle.start) : 0;
  return Math.max(1, cycle.totalMs ?? 0, running, ...ends);
}

function draw() {
  byId("no-cycles").hidden = order.length > 0;
  byId("lanes-in").hidden = order.length === 0;
  if (order.length === 0) return;
  const shown = order.slice(-SHOWN).reverse();
  const longest = Math.max(...shown.map((number) => length(cycles.get(number))));
  const current = chosen ?? order.at(-1);
  keyed(byId("cycles"), rows, shown, makeRow);
  for (const number of shown) showRow(rows.get(number), cycles.get(number), longest, number === current);
  byId("latest").hidden = chosen === null;
  drawChart(cycles.get(current));
}

function makeRow(number) {
  return h("li", {},
    h("button", { type: "button", class: "cycle", onclick: () => choose(number === order.at(-1) ? null : number) },
      h("span", { class: "cycle-sign", "aria-hidden": "true" }), h("span", { class: "cycle-what" }),
      h("span", { class: "cycle-time" }), h("span", { class: "cycle-bar", "aria-hidden": "true" })));
}

function title(cycle) {
  const change = cycle.changes[0];
  if (!change) return cycle.cause;
  const more = cycle.changeCount > 1 ? ` +${cycle.changeCount - 1}` : "";
  return clean(change).split("/").at(-1) + more;
}

function showRow(row, cycle, longest, isCurrent) {
  const button = row.firstChild;
  set(button, "data-status", cycle.status);
  set(button, "aria-pressed", isCurrent ? "true" : "false");
  const [sign, what, time, bar] = button.children;
  write(sign, SIGNS[cycle.status]);
  write(what, title(cycle));
  write(time, duration(length(cycle)));
  set(button, "aria-label",
    `Cycle ${cycle.number}, ${cycle.status}: ${title(cycle)}, ${plural(cycle.imageCount, "image")}, ${duration(length(cycle))}`);
  set(button, "title", cycle.changes.map(clean).join("\n"));
  const parts = cycle.shared.flatMap((lane) => lane.spans).filter((span) => ["window", "lock", "bazel"].includes(span.kind));
  bar.replaceChildren(place(h("i", { "data-kind": "rest" }), 0, length(cycle), longest), ...parts.map((span) =>
    place(h("i", { "data-kind": span.kind }), span.from, span.to ?? length(cycle), longest)));
}

function place(element, from, to, whole) {
  element.style.left = `${((from / whole) * 100).toFixed(3)}%`;
  element.style.width = `max(2px, ${(((to - from) / whole) * 100).toFixed(3)}%)`;
  return element;
}

function drawChart(cycle) {
  const whole = length(cycle);
  const lanes = [...cycle.shared, ...cycle.images];
  const head = h("div", { class: "chart-head" },
    h("h3", {}, `Cycle ${cycle.number}`, h("span", { class: "pill", "data-status": cycle.status }, `${SIGNS[cycle.status]} ${cycle.status}`)),
    h("p", {}, [clock(cycle.start), cycle.cause, plural(cycle.imageCount, "image"), duration(whole)].join(" · ")),
    cycle.status === "running" ? null
      : h("a", { href: `/trace?cycle=${cycle.number}`, download: "", class: "trace" }, "Trace for ui.perfetto.dev"));
  const changes = h("ul", { class: "changes", "aria-label": "What was saved" }, cycle.changes.slice(0, 6).map((path) =>
    h("li", {}, h("button", { type: "button", class: "path", title: clean(path), onclick: () => ask(path) },
      shorten(clean(path), 48), h("span", { class: "hidden" }, ": why?")))),
    cycle.changeCount > 6 ? h("li", { class: "more" }, `+${cycle.changeCount - 6} more`) : null);
  const summary = lanes.map((lane) => `${clean(lane.name)}: ` + lane.spans.map((span) =>
    `${clean(span.name)} ${duration((span.to ?? whole) - span.from)}${span.failed ? ", failed" : ""}`).join(", ")).join("; ");
  const scale = h("div", { class: "scale", "aria-hidden": "true" }, [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const tick = h("span", {}, duration(whole * part));
    tick.style.left = `${part * 100}%`;
    return tick;
  }));
  const drawn = h("div", { class: "lane-list", role: "img", "aria-label": shorten(`Swim lanes. ${summary}`, 1500) },
    scale, lanes.map((lane) => drawLane(lane, whole)));
  const box = byId("chart");
  const top = box.querySelector(".lane-scroll")?.scrollTop ?? 0;
  const scroll = h("div", { class: "lane-scroll", tabindex: "0", role: "group", "aria-label": "Lanes" }, drawn);
  const old = document.activeElement?.closest?.(".changes, .lane-scroll");
  if (old && cycle.number === Number(box.dataset.cycle) && cycle.status !== "running" && box.dataset.status === cycle.status) return;
  box.dataset.cycle = cycle.number;
  box.dataset.status = cycle.status;
  box.replaceChildren(head, cycle.changes.length ? changes : "", cold(cycle.cold) ?? "", scroll,
    cycle.hidden ? h("p", { class: "more" }, `The ${cycle.images.length} longest of ${cycle.images.length + cycle.hidden} images are shown.`) : "");
  scroll.scrollTop = top;
}

function drawLane(lane, whole) {
  return h("div", { class: "lane" }, h("span", { class: "lane-name", title: clean(lane.name) }, clean(lane.name)),
    h("div", { class: "lane-track" }, lane.spans.map((span) => {
      const to = span.to ?? whole;
      const text = `${clean(span.name)} · ${duration(to - span.from)}`;
      return place(h("span", { class: "span", "data-kind": span.kind, "data-failed": span.failed || null,
        "data-open": span.to === undefined || null, title: text },
        (to - span.from) / whole > 0.09 ? text : ""), span.from, to, whole);
    })));
}

export function cold(told) {
  if (!told) return null;
  const by = told.cause ? ` by ${clean(told.cause)}` : "";
  const cost = told.costMs ? `; it cost ${duration(told.costMs)}` : "";
  const what = told.option === "server" ? "Bazel's server was started anew" : `Bazel threw its analysis cache away (${clean(told.option)})`;
  return h("p", { class: "cold" }, `◆ ${what}${by}${cost}`);
}

/** A cycle that runs grows. */
export function tickLanes() {
  const current = cycles.get(chosen ?? order.at(-1));
  if (current?.status === "running") draw();
}
