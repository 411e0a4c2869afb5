// The big word, also as title and icon, and what is being done below it.

import { byId, set, write } from "./dom.js";
import { clean, duration, plural, shorten } from "./text.js";

const SIGNS = { well: "✓", busy: "●", broken: "✗", degraded: "!", off: "–" };
const COLOURS = { well: "#1f8a4c", busy: "#1d5fd0", broken: "#c0271d", degraded: "#a86a00", off: "#5b6069" };
// Each state has a shape of its own: colours are not all that tells them apart.
const SHAPES = {
  well: "<path d='M8 17l6 6 11-13' fill='none' stroke='#fff' stroke-width='4' stroke-linecap='round' stroke-linejoin='round'/>",
  busy: "<circle cx='16' cy='16' r='7' fill='#fff'/>",
  broken: "<path d='M10 10l12 12M22 10L10 22' stroke='#fff' stroke-width='4' stroke-linecap='round'/>",
  degraded: "<path d='M16 7v11M16 24v1' stroke='#fff' stroke-width='4' stroke-linecap='round'/>",
  off: "<path d='M9 16h14' stroke='#fff' stroke-width='4' stroke-linecap='round'/>",
};

let shownTone;
let said = "";
let work = null;
let workAt = 0;

export function showHeadline(headline) {
  const { text, tone, detail } = headline;
  write(byId("word"), clean(text));
  write(byId("detail"), clean(detail));
  write(byId("sign"), SIGNS[tone]);
  document.title = `${SIGNS[tone]} ${clean(text)} · watchbuild`;
  if (shownTone !== tone) {
    shownTone = tone;
    document.body.dataset.tone = tone;
    const svg = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='8' fill='${COLOURS[tone]}'/>${SHAPES[tone]}</svg>`;
    byId("icon").href = "data:image/svg+xml," + encodeURIComponent(svg);
  }
  // A count that goes down each second is not read aloud, a change of state is.
  const words = tone === "busy" ? clean(text).replace(/ \d+$/, "") : `${clean(text)}. ${clean(detail)}`;
  if (words !== said) {
    said = words;
    write(byId("said"), words);
  }
}

export function showWork(told) {
  work = told ?? null;
  workAt = Date.now();
  tickWork();
}

/** Moves the meter between two words of it. */
export function tickWork() {
  byId("work").hidden = !work;
  if (!work) return;
  const elapsed = work.elapsedMs + (Date.now() - workAt);
  const byTime = work.usualMs ? Math.min(0.97, elapsed / work.usualMs) : null;
  const byCount = work.total > 0 ? work.done / work.total : null;
  const share = byCount ?? byTime;
  const meter = byId("meter");
  set(meter, "data-unknown", share === null ? "yes" : null);
  set(meter, "aria-valuenow", share === null ? null : Math.round(share * 100));
  byId("meter-fill").style.width = share === null ? "" : `${(share * 100).toFixed(1)}%`;
  const parts = [];
  if (work.total > 0) parts.push(`${work.done} of ${work.total} ${work.phase === "build" ? "actions" : "images"}`);
  parts.push(duration(elapsed) + (work.usualMs ? `, usually ${duration(work.usualMs)}` : ""));
  for (const one of work.running.slice(0, 2)) parts.push(`${shorten(clean(one.what), 60)} ${duration(one.ms)}`);
  if (work.running.length > 2) parts.push(`+${work.running.length - 2} more`);
  if (work.queued.length) parts.push(`${plural(work.queued.length, "save")} queued`);
  write(byId("work-text"), parts.join("  ·  "));
}
