// What is broken, each cause once: where, the compiler's own lines, whom it holds up, since when.

import { byId, h, keyed, write } from "./dom.js";
import { age, clean, clock, plural } from "./text.js";

const elements = new Map();
let told = new Map();

export function showErrors(errors) {
  told = new Map(errors.map((error) => [error.id, error]));
  byId("errors-section").hidden = errors.length === 0;
  const wrong = errors.filter((error) => error.severity === "error").length;
  const warnings = errors.length - wrong;
  write(byId("errors-title").firstChild, wrong ? "What is broken " : "Warnings ");
  write(byId("errors-count"), wrong && warnings ? `${wrong} · ${plural(warnings, "warning")}` : String(errors.length));
  keyed(byId("errors"), elements, errors.map((error) => error.id), make);
  for (const error of errors) show(elements.get(error.id), error);
}

function make(id) {
  const output = h("pre", { tabindex: "0", "aria-label": "All output" });
  const details = h("details", { class: "output", hidden: true }, h("summary", {}, "All output"), output);
  details.addEventListener("toggle", () => { if (details.open) load(id, output); });
  return h("article", { class: "error" },
    h("p", { class: "error-head" }, h("span", { class: "error-sign", "aria-hidden": "true" }), h("code", { class: "place" }),
      h("span", { class: "since" })),
    h("p", { class: "message" }), h("pre", { class: "snippet", tabindex: "0", "aria-label": "Excerpt", hidden: true }),
    h("p", { class: "held" }), details);
}

function show(item, error) {
  const isError = error.severity === "error";
  item.dataset.severity = error.severity;
  write(item.querySelector(".error-sign"), isError ? "✗" : "!");
  const place = [error.file, error.line, error.column].filter((part) => part !== undefined).map(clean).join(":");
  const code = item.querySelector(".place");
  code.hidden = !place;
  write(code, place);
  showSince(item, error);
  write(item.querySelector(".message"), clean(error.message));
  const snippet = item.querySelector(".snippet");
  snippet.hidden = !error.snippet;
  paint(snippet, error.snippet ?? "");
  const held = item.querySelector(".held");
  const images = error.images.slice(0, 12).map((name) => h("span", { class: "chip" }, clean(name)));
  const rest = error.images.length - images.length;
  held.replaceChildren(...(images.length === 0 ? ["No image is held up by it."]
    : [isError ? `Holds up ${error.images.length === 1 ? "" : error.images.length + ": "}` : "In ", ...images, rest > 0 ? ` +${rest} more` : ""]),
    error.omitted ? ` ${plural(error.omitted, "more error")} of the same action.` : "");
  item.querySelector(".output").hidden = !error.log;
}

/** The compiler's lines; those that only point are made to stand out. */
function paint(pre, text) {
  if (pre.dataset.text === text) return;
  pre.dataset.text = text;
  pre.replaceChildren(...clean(text).split("\n").flatMap((line, index) => {
    const points = /^[\s|0-9]*[\^~]+[\s\^~\-]*.*$/.test(line);
    return [index ? "\n" : "", points ? h("b", { class: "caret" }, line) : line];
  }));
}

function showSince(item, error) {
  write(item.querySelector(".since"), `since ${clock(error.since)}, ${age(error.since)}`);
}

export function tickErrors() {
  for (const [id, item] of elements) if (told.has(id)) showSince(item, told.get(id));
}

async function load(id, output) {
  const error = told.get(id);
  write(output, "…");
  try {
    const answer = await fetch(`/log?image=${encodeURIComponent(error.log)}`);
    write(output, answer.ok ? clean(await answer.text()) : "Nothing is kept of it any more.");
  } catch {
    write(output, "watchbuild does not answer.");
  }
}
