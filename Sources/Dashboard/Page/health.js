// What the run stands on, and what its loads have sent.

import { byId, h, set } from "./dom.js";
import { bytes, clean, clock, duration, number, plural, shorten } from "./text.js";

const SERVERS = { cold: "not asked yet", warm: "warm", restarted: "started anew" };

export function showHealth(health) {
  const items = [chip(health.server === "restarted" ? "bad" : "good", "Bazel server", SERVERS[health.server])];
  items.push(health.lock
    ? chip("bad", "Lock", `held by ${health.lock.process ? "process " + health.lock.process : "somebody"} for ${duration(health.lock.waitedMs)}`, health.lock.command)
    : chip("good", "Lock", "free"));
  if (health.watches) {
    const { directories, limit, trigger, degraded } = health.watches;
    const isFull = limit && directories > limit * 0.9;
    items.push(trigger === "poll"
      ? chip("bad", "Watching", `polling ${number(directories)} directories`, degraded)
      : chip(isFull || degraded ? "bad" : "good", "Watches", limit ? `${number(directories)} of ${number(limit)}` : number(directories), degraded));
  }
  for (const runtime of health.runtimes) {
    items.push(runtime.trouble
      ? chip("bad", clean(runtime.name), `fails${runtime.retry ? ", next try " + clock(runtime.retry) : ""}`, runtime.trouble)
      : chip("good", clean(runtime.name), "ready"));
  }
  if (health.runtimes.length === 0) items.push(chip("off", "Runtimes", "none"));
  const disks = health.disks.filter((disk, index) => health.disks.findIndex((other) =>
    other.totalBytes === disk.totalBytes && other.freeBytes === disk.freeBytes) === index);
  for (const disk of disks) {
    items.push(chip(disk.freeBytes < disk.totalBytes * 0.05 ? "bad" : "good", disks.length > 1 ? `Disk, ${disk.what}` : "Disk",
      `${bytes(disk.freeBytes)} free`, disk.path));
  }
  for (const reason of health.degraded.slice(0, 3)) items.push(chip("bad", "Degraded", shorten(clean(reason), 60), reason));
  byId("health").replaceChildren(...items);
  set(byId("pause"), "data-paused", health.paused ? "yes" : null);
  byId("pause-text").textContent = health.paused ? "Resume" : "Pause";
  byId("pause-sign").textContent = health.paused ? "▸" : "‖";
}

function chip(state, name, value, title) {
  const sign = { good: "✓", bad: "!", off: "–" }[state];
  return h("li", { class: "health-item", "data-state": state, title: title ? clean(title) : null },
    h("span", { class: "health-sign", "aria-hidden": "true" }, sign), h("span", { class: "health-name" }, name),
    h("span", { class: "health-value" }, value));
}

export function showBytes(sent) {
  const layers = sent.layersSent + sent.layersKept;
  const box = byId("bytes");
  if (sent.loads + sent.unchanged === 0) {
    box.replaceChildren(h("p", { class: "empty" }, "Nothing has been loaded yet."));
    return;
  }
  const share = layers ? sent.layersSent / layers : 0;
  const bar = h("div", { class: "share", role: "img", "aria-label": `${sent.layersSent} of ${layers} layers were sent` }, h("i", { class: "share-sent" }));
  bar.firstChild.style.width = `${(share * 100).toFixed(2)}%`;
  box.replaceChildren(
    h("p", { class: "big" }, bytes(sent.bytes), h("span", {}, " sent to runtimes")),
    bar,
    h("dl", { class: "figures" },
      h("div", {}, h("dt", {}, "layers sent"), h("dd", {}, number(sent.layersSent))),
      h("div", {}, h("dt", {}, "layers that were there"), h("dd", {}, number(sent.layersKept)))),
    h("p", { class: "note" }, `${plural(sent.loads, "load")} sent something; ${plural(sent.unchanged, "load")} found the image there already.`));
}
