// Live pages, suggested values, and copying. Every page works without it.
"use strict";

const main = document.querySelector("main");

// Values of the metadata key that a filter's form names.
function suggest(form) {
  const name = form.querySelector(".adder input[name=name]");
  const list = document.getElementById("filter-values");
  const known = {
    outcome: ["succeeded", "failed", "refused", "cancelled", "dead_lettered"],
    status: ["2xx", "4xx", "5xx", "429", "500", "502", "503"],
  };
  name.addEventListener("change", async () => {
    let values = known[name.value] || [];
    if (!(name.value in known) && name.value) {
      const key = name.value.replace(/^metadata\./, "");
      const answer = await fetch(form.dataset.suggestions + "?limit=200&key=" + encodeURIComponent(key));
      values = answer.ok ? (await answer.json()).values || [] : [];
    }
    list.replaceChildren(...values.map((value) => {
      const option = document.createElement("option");
      option.value = value;
      return option;
    }));
  });
}

// A page of the server's, as a document; nothing in it runs.
async function parsed(address) {
  const answer = await fetch(address);
  return answer.ok && !answer.redirected ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
}

// Bars of rollouts that are not complete, one after the other.
async function fillBars() {
  for (const cell of [...document.querySelectorAll("[data-progress]")].slice(0, 20)) {
    const found = await parsed(cell.dataset.progress);
    const bar = found && found.querySelector(".progress");
    if (bar && cell.isConnected) cell.replaceChildren(document.adoptNode(bar));
  }
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

// Whether a person is reading or writing here: that is not taken from under them.
function isBusy() {
  const active = document.activeElement;
  return document.hidden || (active && main.contains(active) && active !== main)
    || [...main.querySelectorAll("input:not([type=hidden])")].some((field) => field.value !== field.defaultValue)
    || main.querySelector("details[open]") || !getSelection().isCollapsed;
}

async function refresh() {
  const seconds = Number(main.dataset.refresh);
  if (!isBusy()) {
    try {
      const found = await parsed(location.href);
      const newer = found && found.querySelector("main");
      if (newer && !isBusy()) {
        // Bars that were filled stand until they are filled anew.
        for (const cell of newer.querySelectorAll("[data-progress]")) {
          const old = main.querySelector(`[data-progress="${CSS.escape(cell.dataset.progress)}"]`);
          if (old) cell.replaceChildren(...old.cloneNode(true).childNodes);
        }
        main.replaceChildren(...document.adoptNode(newer).childNodes);
        prepare();
      }
    } catch { /* The gateway is away; the next turn looks again. */ }
  }
  if (!document.hidden) await fillBars().catch(() => {});
  setTimeout(refresh, seconds * 1000);
}

prepare();
if (main.dataset.refresh) {
  fillBars().catch(() => {});
  setTimeout(refresh, Number(main.dataset.refresh) * 1000);
}
