// How long a save takes to become an image: a dot a save.

import { byId, h, s } from "./dom.js";
import { clean, duration, plural, shorten } from "./text.js";
import { choose, cold } from "./lanes.js";

const WIDTH = 640, HEIGHT = 220, LEFT = 52, RIGHT = 12, TOP = 14, BOTTOM = 24;

export function showSaves(saves) {
  const box = byId("saves");
  if (saves.dots.length === 0) {
    box.replaceChildren(h("p", { class: "empty" }, "A dot appears here with each save that becomes an image."));
    return;
  }
  const figures = h("dl", { class: "figures" }, figure("median", saves.median), figure("p95", saves.p95),
    h("div", {}, h("dt", {}, "saves"), h("dd", {}, String(saves.dots.filter((dot) => dot.isSave).length))));
  box.replaceChildren(figures, chart(saves), marks(saves.dots));
}

const figure = (name, ms) => h("div", {}, h("dt", {}, name), h("dd", {}, ms === undefined ? "–" : duration(ms)));

/** Square roots: what is quick stays apart, what is slow stays in. */
function chart(saves) {
  const most = Math.max(...saves.dots.map((dot) => dot.ms), 1);
  const y = (ms) => HEIGHT - BOTTOM - Math.sqrt(ms / most) * (HEIGHT - TOP - BOTTOM);
  const step = (WIDTH - LEFT - RIGHT) / Math.max(saves.dots.length - 1, 1);
  const x = (index) => saves.dots.length === 1 ? (LEFT + WIDTH - RIGHT) / 2 : LEFT + index * step;
  const lines = [0, 0.25, 1].map((part) => s("g", { class: "grid" },
    s("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(most * part), y2: y(most * part) }),
    s("text", { x: LEFT - 8, y: y(most * part) + 4 }, part === 0 ? "0" : duration(most * part))));
  const rules = [["median", saves.median], ["p95", saves.p95]].filter(([, ms]) => ms !== undefined).map(([name, ms]) =>
    s("g", { class: `rule ${name}` }, s("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(ms), y2: y(ms) }),
      s("text", { x: WIDTH - RIGHT, y: y(ms) - 5 }, name)));
  const dots = saves.dots.map((dot, index) => {
    const about = s("title", {}, `cycle ${dot.cycle}: ${clean(dot.change ?? "start")}, ${plural(dot.images, "image")}, ${duration(dot.ms)}`);
    const click = { onclick: () => choose(dot.cycle) };
    if (!dot.cold) return s("circle", { class: "dot", cx: x(index), cy: y(dot.ms), r: saves.dots.length > 80 ? 3.5 : 5, ...click }, about);
    const [cx, cy] = [x(index), y(dot.ms)];
    return s("path", { class: "dot cold-dot", d: `M${cx} ${cy - 8}l7 8-7 8-7-8z`, ...click }, about);
  });
  const cold = saves.dots.filter((dot) => dot.cold).length;
  const label = `${plural(saves.dots.length, "cycle")}: median ${duration(saves.median ?? null) || "unknown"}, `
    + `95 percent within ${duration(saves.p95 ?? null) || "unknown"}; the cache was thrown away in ${cold}`;
  return s("svg", { class: "saves-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label }, lines, rules, dots);
}

function marks(dots) {
  const thrown = dots.filter((dot) => dot.cold).slice(-3).reverse();
  if (thrown.length === 0) return h("p", { class: "note" }, "No analysis cache was thrown away.");
  return h("ul", { class: "marks" }, thrown.map((dot) =>
    h("li", {}, cold(dot.cold), h("button", { type: "button", class: "path", onclick: () => choose(dot.cycle) },
      `cycle ${dot.cycle}`, dot.change ? `, ${shorten(clean(dot.change), 40)}` : ""))));
}
