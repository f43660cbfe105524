// What a page does beyond HTML: light or dark, copy buttons. Everything works without it.

"use strict";

// --- Light or dark: chosen here, else as the system says; set before the first paint -----------

const LOOK = "daypost-look";

function look() {
  try {
    return localStorage.getItem(LOOK) || "auto";
  } catch {
    return "auto"; // storage is switched off
  }
}

function applyLook() {
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const dark = look() === "dark" || (look() === "auto" && systemIsDark);
  document.documentElement.classList.toggle("dark", dark);
}

applyLook();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyLook);
addEventListener("storage", applyLook);

document.addEventListener("DOMContentLoaded", () => {
  for (const choice of document.querySelectorAll(".dp-theme")) {
    choice.hidden = false;
    for (const radio of choice.querySelectorAll("input")) {
      radio.checked = radio.value === look();
      radio.addEventListener("change", () => {
        localStorage.setItem(LOOK, radio.value);
        applyLook();
      });
    }
  }
});

// --- Copy buttons: <button data-copy="text" data-copied="Copied">Copy</button> ------------------

document.addEventListener("DOMContentLoaded", () => showCopyButtons(document));
document.addEventListener("htmx:load", (event) => showCopyButtons(event.target));

function showCopyButtons(part) {
  for (const button of part.querySelectorAll("[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    copyTheOldWay(button.dataset.copy);
  }
  const label = button.textContent;
  button.style.minWidth = `${button.offsetWidth}px`;
  button.textContent = button.dataset.copied || "✓";
  setTimeout(() => (button.textContent = label), 1500);
});

// Over plain http, except on localhost, a browser has no clipboard API.
function copyTheOldWay(text) {
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
