// A path → its file → targets → images, as a small graph.

import { byId, h, s } from "./dom.js";
import { clean, plural, shorten } from "./text.js";

const LIMIT = 24, COLUMN = 236, ROW = 34, BOX = 196;
let asked = false;

export function setUpWhy() {
  byId("why-form").addEventListener("submit", (event) => {
    event.preventDefault();
    ask(byId("why-path").value.trim());
  });
}

/** The first change that is seen answers the question before it is asked. */
export function suggest(path, recent) {
  const list = byId("why-paths");
  if (list.children.length !== recent.length || list.firstChild?.value !== recent[0]) {
    list.replaceChildren(...recent.map((value) => h("option", { value })));
  }
  if (!asked && path) ask(path);
}

export async function ask(path, isChosen = false) {
  if (!path) return;
  asked = true;
  byId("why-path").value = path;
  const box = byId("why");
  let answer;
  try {
    const response = await fetch(`/why?path=${encodeURIComponent(path)}`);
    if (!response.ok) throw new Error(String(response.status));
    answer = await response.json();
  } catch {
    box.replaceChildren(h("p", { class: "empty" }, "watchbuild does not answer."));
    return;
  }
  show(box, answer);
  if (isChosen) byId("why-section").scrollIntoView({ block: "nearest" });
}

function show(box, answer) {
  const path = clean(answer.path);
  if (answer.ways.length === 0) {
    box.replaceChildren(h("p", { class: "empty" }, answer.known
      ? `No image depends on ${path}.` : `There is no ${path}, and no image depends on a file that was there.`));
    return;
  }
  const ways = answer.ways.slice(0, LIMIT);
  const text = h("details", {}, h("summary", {}, "The same as text"),
    h("ul", { class: "ways" }, ways.map((way) => h("li", {}, h("b", {}, clean(way.image)), ": ", way.path.map(clean).join(" → ")))));
  box.replaceChildren(
    h("p", { class: "why-head" }, `${path} affects ${plural(answer.ways.length, "image")}`,
      answer.ways.length > LIMIT ? `; ${LIMIT} are drawn` : "", "."),
    h("div", { class: "graph", tabindex: "0", role: "group", "aria-label": "Graph" }, graph(path, ways)), text);
}

/** Columns by the longest way to each node; a node is drawn once. */
function graph(path, ways) {
  const depth = new Map([[path, 0]]);
  const kinds = new Map([[path, "file"]]);
  const edges = new Map();
  for (const way of ways) {
    const nodes = way.path.map(clean);
    if (nodes[0] !== path) nodes.unshift(path);
    nodes.push(`image ${clean(way.image)}`);
    nodes.forEach((node, index) => {
      depth.set(node, Math.max(depth.get(node) ?? 0, index));
      if (!kinds.has(node)) kinds.set(node, index === nodes.length - 1 ? "image" : "target");
      if (index > 0) edges.set(nodes[index - 1] + "\n" + node, [nodes[index - 1], node]);
    });
  }
  const last = Math.max(...depth.values());
  for (const [node, kind] of kinds) if (kind === "image") depth.set(node, last);
  const columns = Array.from({ length: last + 1 }, () => []);
  for (const [node, column] of depth) columns[column].push(node);
  const rows = Math.max(...columns.map((column) => column.length));
  const at = new Map();
  columns.forEach((column, x) => column.forEach((node, index) =>
    at.set(node, [x * COLUMN + 4, (index + 0.5) * (rows * ROW) / column.length])));
  const lines = [...edges.values()].map(([from, to]) => {
    const [[x1, y1], [x2, y2]] = [at.get(from), at.get(to)];
    const middle = (x1 + BOX + x2) / 2;
    return s("path", { class: "edge", d: `M${x1 + BOX} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}` });
  });
  const boxes = [...at].map(([node, [x, y]]) => s("g", { class: `node ${kinds.get(node)}` },
    s("title", {}, node), s("rect", { x, y: y - 13, width: BOX, height: 26, rx: kinds.get(node) === "image" ? 13 : 6 }),
    s("text", { x: x + 12, y: y + 4 }, shorten(kinds.get(node) === "image" ? node.slice(6) : node, 25))));
  const width = last * COLUMN + BOX + 8, height = rows * ROW;
  return s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
    "aria-label": `${path} leads to ${plural(ways.length, "image")}` }, lines, boxes);
}
