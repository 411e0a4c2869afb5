// A tile for each image, at a fixed place.

import { byId, h, keyed, s, set, write } from "./dom.js";
import { age, clean, duration, shorten } from "./text.js";

const STATES = {
  current: ["✓", "current"], building: ["", "building"], loading: ["↓", "loading"],
  rolling: ["↻", "rolling out"], failed: ["✗", "failed"], owed: ["○", "owed"], held: ["‖", "held up"],
};
const CIRCLE = 2 * Math.PI * 15;

const elements = new Map();
let tiles = new Map();
let order = [];
let active = null;

export function setUpTiles(act) {
  const list = byId("tiles");
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const tile = tiles.get(button.closest("li").dataset.name);
    if (button.dataset.act === "copy") copy(button, tile);
    else act("/trigger", { images: [tile.name] }, `${tile.name} is built again`);
  });
  list.addEventListener("focusin", (event) => {
    const item = event.target.closest("li");
    if (item) activate(item.dataset.name);
  });
  list.addEventListener("keydown", move);
  byId("filter").addEventListener("input", filter);
}

export function showTiles(changes) {
  if (changes.order) {
    order = changes.order;
    for (const name of [...tiles.keys()]) if (!order.includes(name)) tiles.delete(name);
  }
  for (const tile of changes.tiles ?? []) tiles.set(tile.name, tile);
  if (changes.order) {
    const list = byId("tiles");
    keyed(list, elements, order, make);
    set(list, "data-size", order.length > 80 ? "many" : order.length > 30 ? "some" : order.length > 4 ? "few" : "one");
    byId("filter-box").hidden = order.length <= 20;
    if (!elements.has(active)) activate(order[0]);
    filter();
  }
  for (const tile of changes.tiles ?? []) show(elements.get(tile.name), tile);
  count();
}

function make(name) {
  const ring = s("svg", { class: "ring", viewBox: "0 0 36 36", "aria-hidden": "true" },
    s("circle", { class: "ring-track", cx: 18, cy: 18, r: 15 }),
    s("circle", { class: "ring-fill", cx: 18, cy: 18, r: 15, "stroke-dasharray": CIRCLE.toFixed(2) }),
    s("text", { class: "ring-sign", x: 18, y: 18 }));
  return h("li", { class: "tile", "data-name": name },
    ring,
    h("div", { class: "tile-head" }, h("h3", { title: clean(name) }, clean(name)), h("p", { class: "state" })),
    h("div", { class: "tile-ref" }, h("code"),
      h("button", { type: "button", "data-act": "copy", class: "icon", "aria-label": `Copy the name of ${clean(name)} in the runtime` }, "copy"),
      h("button", { type: "button", "data-act": "build", class: "icon", "aria-label": `Rebuild ${clean(name)}` }, "↻")),
    h("p", { class: "tile-foot" }, h("span", { class: "age" }), h("span", { class: "took" })),
    h("p", { class: "reason", hidden: true }));
}

function show(item, tile) {
  if (!item) return;
  const [sign, word] = STATES[tile.state];
  set(item, "data-state", tile.state);
  const busy = ["building", "loading", "rolling"].includes(tile.state);
  const share = busy ? tile.progress ?? null : 1;
  const known = share !== null;
  set(item, "data-unknown", busy && !known ? "yes" : null);
  item.querySelector(".ring-fill").style.strokeDashoffset = String(CIRCLE * (1 - (known ? share : 0.25)));
  write(item.querySelector(".ring-sign"), busy && known ? String(Math.round(share * 100)) : sign);
  write(item.querySelector(".state"), busy && known ? `${word} ${Math.round(share * 100)} %` : word);
  const ref = tile.refs[0] ?? tile.target;
  const code = item.querySelector("code");
  write(code, clean(ref));
  set(code, "title", [...tile.refs, tile.target, tile.id].filter(Boolean).map(clean).join("\n"));
  item.querySelector("[data-act=copy]").hidden = tile.refs.length === 0;
  write(item.querySelector(".took"), tile.ms === undefined ? "" : duration(tile.ms));
  showAge(item, tile);
  const reason = item.querySelector(".reason");
  const why = ["failed", "owed", "held"].includes(tile.state) ? tile.why : undefined;
  reason.hidden = !why;
  write(reason, why ? shorten(clean(why), 140) : "");
  set(reason, "title", why ? clean(why) : null);
}

function showAge(item, tile) {
  write(item.querySelector(".age"), tile.loadedAt ? age(tile.loadedAt) : "not loaded yet");
}

export function tickTiles() {
  for (const tile of tiles.values()) {
    const item = elements.get(tile.name);
    if (item) showAge(item, tile);
  }
}

function count() {
  const counts = {};
  for (const tile of tiles.values()) counts[tile.state] = (counts[tile.state] ?? 0) + 1;
  write(byId("images-count"), String(order.length));
  write(byId("legend"), Object.keys(STATES).filter((state) => counts[state])
    .map((state) => `${STATES[state][0] || "●"} ${counts[state]} ${STATES[state][1]}`).join("   "));
}

// MARK: The keyboard: one stop for the tab key, arrows from tile to tile.

function activate(name) {
  if (active === name) return;
  active = name;
  for (const [key, item] of elements) {
    for (const button of item.querySelectorAll("button")) set(button, "tabindex", key === name ? null : -1);
  }
}

function move(event) {
  const item = event.target.closest("li");
  const items = [...byId("tiles").children].filter((other) => !other.hidden);
  const index = items.indexOf(item);
  const columns = items.filter((other) => other.offsetTop === items[0].offsetTop).length;
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
  const next = event.key === "Home" ? items[0] : event.key === "End" ? items.at(-1) : items[index + step];
  if (!next) return;
  event.preventDefault();
  const act = event.target.dataset.act ?? "build";
  activate(next.dataset.name);
  const wanted = next.querySelector(`[data-act=${act}]`);
  (wanted.hidden ? next.querySelector("[data-act=build]") : wanted).focus();
}

function filter() {
  const text = byId("filter").value.trim().toLowerCase();
  let shown = 0;
  for (const [name, item] of elements) {
    item.hidden = !!text && !name.toLowerCase().includes(text);
    if (!item.hidden) shown += 1;
  }
  byId("no-tiles").hidden = shown > 0 || order.length === 0;
  const first = order.find((name) => !elements.get(name).hidden);
  if (first && elements.get(active)?.hidden) activate(first);
}

async function copy(button, tile) {
  let copied = true;
  try {
    await navigator.clipboard.writeText(tile.refs[0]);
  } catch {
    // Without leave to write: the name is marked, to be copied by hand.
    copied = false;
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
  }
  write(button, copied ? "✓" : "⌨");
  write(byId("said"), copied ? `${clean(tile.refs[0])} is copied` : "it is marked; copy it by hand");
  setTimeout(() => write(button, "copy"), 1200);
}
