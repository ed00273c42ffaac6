// Live pages, suggested values, and copying. Every page works without it.
"use strict";

const main = document.querySelector("main");

// Values of properties whose values are always the same.
const known = new Map([
  ["outcome", ["succeeded", "failed", "refused", "cancelled", "dead_lettered"]],
  ["status", ["2xx", "4xx", "5xx", "429", "500", "502", "503"]],
]);

// The metadata key that the server takes a filter's name for; empty for a property, of which no values are suggested.
function keyOf(name, properties) {
  if (properties.has(name)) return "";
  return name.startsWith("metadata.") && name.length > "metadata.".length ? name.slice("metadata.".length) : name;
}

// Values of what a filter's form names.
function suggest(form) {
  const name = form.querySelector(".adder input[name=name]");
  const list = document.getElementById("filter-values");
  const properties = new Set(form.dataset.properties.split(" "));
  name.addEventListener("change", async () => {
    const asked = name.value;
    const key = keyOf(asked, properties);
    let values = known.get(asked) || [];
    if (key) {
      const answer = await fetch(form.dataset.suggestions + "?limit=200&key=" + encodeURIComponent(key));
      values = answer.ok ? (await answer.json()).values || [] : [];
    }
    // An answer that comes late must not stand beside another name.
    if (name.value !== asked) return;
    list.replaceChildren(...values.map((value) => {
      const option = document.createElement("option");
      option.value = value;
      return option;
    }));
  });
}

function prepare() {
  for (const form of document.querySelectorAll("form[data-suggestions]")) suggest(form);
  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
      const label = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  }
}

// Whether a person has changed a field.
function isChanged(field) {
  if (field.type === "hidden") return false;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.tagName === "SELECT") {
    const options = [...field.options];
    // Where the page chose none, a browser shows the first.
    return options.some((option) => option.defaultSelected)
      ? options.some((option) => option.selected !== option.defaultSelected) : field.selectedIndex > 0;
  }
  // A field of one line shows a text without its line ends.
  const usual = field.tagName === "INPUT" ? field.defaultValue.replace(/[\r\n]/g, "") : field.defaultValue;
  return field.value !== usual;
}

// Whether a person is reading or writing here: that is not taken from under them.
function isBusy() {
  const active = document.activeElement;
  return (active && main.contains(active) && active !== main)
    || [...main.querySelectorAll("input, textarea, select")].some(isChanged)
    || main.querySelector("details[open]") || !getSelection().isCollapsed;
}

// The page as the server made it, and its newest state that is not shown yet.
let shown = main.cloneNode(true);
let newest = null;

function show() {
  if (newest === null || isBusy()) return;
  // Nothing in a parsed document runs.
  const found = new DOMParser().parseFromString(newest, "text/html").querySelector("main");
  newest = null;
  if (!found || found.isEqualNode(shown)) return;
  shown = found.cloneNode(true);
  main.replaceChildren(...document.adoptNode(found).childNodes);
  prepare();
}

// Follows the page's event stream. A browser has few connections to a host, so tabs that are not seen have none.
let stream = null;

function follow() {
  if (document.hidden) {
    if (stream) stream.close();
    stream = null;
  } else if (!stream) {
    const opened = new EventSource(location.href);
    stream = opened;
    opened.addEventListener("page", (event) => {
      newest = event.data;
      show();
    });
    // The session has ended, or the page is another one now.
    opened.addEventListener("reload", () => {
      opened.close();
      location.reload();
    });
    opened.addEventListener("error", () => {
      // A browser connects again by itself, but not after a refusal.
      if (opened.readyState !== EventSource.CLOSED || stream !== opened) return;
      stream = null;
      setTimeout(follow, 15000);
    });
  }
}

prepare();
if ("live" in main.dataset) {
  follow();
  document.addEventListener("visibilitychange", follow);
  setInterval(show, 1000);
}
