// Follows the run: each message is what differs from the one before, the first is everything.

import { byId, write } from "./dom.js";
import { clean } from "./text.js";
import { showHeadline, showWork, tickWork } from "./headline.js";
import { setUpTiles, showTiles, tickTiles } from "./tiles.js";
import { choose, latestChange, recentChanges, setUpLanes, showCycles, tickLanes } from "./lanes.js";
import { showSaves } from "./saves.js";
import { showErrors, tickErrors } from "./errors.js";
import { ask, setUpWhy, suggest } from "./why.js";
import { showBytes, showHealth } from "./health.js";

// The token has become a cookie; in the address it would end up in histories and screenshots.
if (location.search) history.replaceState(null, "", "/");

let isPaused = false;
let headline = null;

function take(changes) {
  if (changes.run) {
    write(byId("workspace"), clean(changes.run.workspace.split("/").filter(Boolean).at(-1) ?? "/"));
    byId("workspace").title = clean(changes.run.workspace);
    write(byId("about"), `watchbuild ${clean(changes.run.version)} · process ${changes.run.process} · ${clean(changes.run.workspace)}`);
  }
  if (changes.headline) headline = changes.headline;
  showHeadline(headline);
  showWork(changes.work);
  if (changes.order || changes.tiles) showTiles(changes);
  if (changes.cycleOrder || changes.cycles) {
    showCycles(changes);
    suggest(latestChange(), recentChanges());
  }
  if (changes.saves) showSaves(changes.saves);
  if (changes.errors) showErrors(changes.errors);
  if (changes.health) {
    isPaused = changes.health.paused;
    showHealth(changes.health);
  }
  if (changes.bytes) showBytes(changes.bytes);
}

// MARK: The connection

let source;

function connect() {
  source = new EventSource("/events");
  source.onmessage = (message) => {
    document.body.dataset.connected = "yes";
    take(JSON.parse(message.data));
  };
  source.onerror = lost;
}

async function lost() {
  source.close();
  document.body.dataset.connected = "no";
  showWork(null);
  showHeadline({ text: "NO CONNECTION", tone: "off", detail: "watchbuild does not answer; this page tries again each second" });
  try {
    // A run that was started anew with another token answers, but not to us.
    const answer = await fetch("/events", { signal: AbortSignal.timeout(900) });
    await answer.body?.cancel();
    if (answer.status === 401) {
      showHeadline({ text: "LOCKED", tone: "off", detail: "open the address that watchbuild dev printed" });
      return setTimeout(lost, 5000);
    }
  } catch {
    // Nobody is there.
  }
  setTimeout(connect, 1000);
}

// MARK: Actions

async function act(path, body, done) {
  let text = done;
  try {
    const answer = await fetch(path, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) text = (await answer.json()).error.message;
  } catch {
    text = "watchbuild does not answer";
  }
  write(byId("said"), clean(text));
}

const rebuild = () => act("/trigger", {}, "all images are built again");
const pause = () => act(isPaused ? "/resume" : "/pause", {}, isPaused ? "builds go on" : "saves wait");

byId("rebuild").addEventListener("click", rebuild);
byId("pause").addEventListener("click", pause);
addEventListener("keydown", (event) => {
  const isTyping = event.target.matches?.("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey;
  if (event.key === "Escape" && event.target.id === "filter") {
    event.target.value = "";
    event.target.dispatchEvent(new Event("input"));
    return event.target.blur();
  }
  if (isTyping) return;
  if (event.key === "r") rebuild();
  else if (event.key === "p") pause();
  else if (event.key === "Escape") choose(null);
  else if (event.key === "/" && !byId("filter-box").hidden) {
    event.preventDefault();
    byId("filter").focus();
  }
});

setUpTiles(act);
setUpLanes((path) => ask(path, true));
setUpWhy();
setInterval(() => {
  tickTiles();
  tickErrors();
}, 1000);
setInterval(() => {
  tickWork();
  tickLanes();
}, 250);
connect();
