// The template editor: fields at the cursor, line numbers, remarks that lead to their place, and a
// preview that follows what is typed. Without it everything can be done by saving and "Preview".

"use strict";

const PAUSE = 400; // milliseconds without typing, before the preview follows
const MAX_PAINTED = 100000; // characters; a longer message has no line numbers

const form = document.getElementById("template_form");
const subject = document.getElementById("id_subject");
const source = document.getElementById("id_html");
const state = form.querySelector(".tpl-state");
const asking = document.getElementById("asking"); // posts the form and takes in the remarks

form.classList.add("tpl-live");

// --- The preview: the form is posted into a new frame, which takes the old one's place ----------

const previewButton = form.querySelector(".tpl-preview-button");
let shown = form.querySelector("iframe");
let coming = null;
let frames = 0;
let pause = 0;
let touched = false; // whether there is a place where one writes
const cursor = form.elements.cursor;

source.addEventListener("input", () => (touched = true));

function refreshSoon() {
  clearTimeout(pause);
  pause = setTimeout(refresh, PAUSE);
}

function refresh() {
  htmx.trigger(asking, "typed");
  coming?.remove();
  // A new frame leaves no entry in the history, and the old one stays until there is something.
  const frame = shown.cloneNode(false);
  frame.removeAttribute("src");
  frame.name = `preview-${++frames}`;
  frame.classList.add("tpl-coming");
  coming = frame;
  shown.after(frame);
  frame.addEventListener("load", () => {
    if (frame !== coming) return;
    frame.classList.remove("tpl-coming");
    shown.remove();
    [shown, coming] = [frame, null];
  });
  // The preview stays where one writes. Places count characters, the field counts UTF-16 units.
  cursor.value = touched ? [...source.value.slice(0, source.selectionStart)].length : "";
  previewButton.formAction = form.dataset.preview + (touched ? "#here" : "");
  previewButton.formTarget = frame.name;
  form.requestSubmit(previewButton);
}

form.addEventListener("input", (event) => {
  if (["subject", "html", "contact"].includes(event.target.name)) refreshSoon();
});

asking.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful) return;
  // Whoever was logged out meanwhile is sent to another page.
  say(event.detail.xhr.responseURL.includes("/remarks/") ? "" : state.dataset.loggedOut);
  form.querySelectorAll(".tpl-remarks").forEach(equip);
  paint();
});
for (const failure of ["htmx:sendError", "htmx:responseError"]) {
  asking.addEventListener(failure, () => {
    say(state.dataset.failed);
    clearTimeout(pause);
    pause = setTimeout(refresh, 3000);
  });
}

// --- Desktop width, scaled down to the room there is --------------------------------------------

const stage = form.querySelector(".tpl-stage");
if (innerWidth < 640) form.elements.width.value = "phone";
new ResizeObserver(() => {
  if (stage.clientWidth) stage.style.setProperty("--scale", Math.min(1, stage.clientWidth / 640));
}).observe(stage);

// --- Merge fields go where the cursor is --------------------------------------------------------

const picker = form.querySelector(".tpl-picker");
let written = source; // the field that had the focus last

for (const field of [subject, source]) field.addEventListener("focus", () => (written = field));
for (const offer of picker.querySelectorAll("[data-insert]")) {
  offer.hidden = false;
  offer.addEventListener("click", () => {
    picker.open = false;
    const code = written === subject ? offer.dataset.insertLine : offer.dataset.insert;
    replace(written, written.selectionStart, written.selectionEnd, code);
  });
}
document.addEventListener("click", (event) => {
  if (!picker.contains(event.target)) picker.open = false;
});
picker.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  picker.open = false;
  picker.querySelector("summary").focus();
});

// As if typed, so that it can be undone; a fallback is selected, ready to be typed over.
function replace(field, start, end, text) {
  field.focus();
  field.setSelectionRange(start, end);
  if (!document.execCommand("insertText", false, text)) {
    field.setRangeText(text, start, end, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  const fallback = /default: "([^"]*)"/.exec(text);
  if (!fallback) return;
  const from = start + fallback.index + 'default: "'.length;
  field.setSelectionRange(from, from + fallback[1].length);
}

// --- Remarks lead to their place, and mend it ---------------------------------------------------

// Where in its field a remark points to, or null when the text has changed since.
function placeOf(remark, field) {
  const lines = field.value.split("\n");
  const line = Number(remark.dataset.line) - 1;
  if (!(line < lines.length)) return null;
  // Columns count characters, the field counts UTF-16 units.
  const column = [...lines[line]].slice(0, Number(remark.dataset.column) - 1).join("").length;
  let start = column + lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, 0);
  const found = remark.dataset.found;
  if (found) {
    start = field.value.indexOf(found, start);
    return start < 0 || start > field.value.length ? null : { start, end: start + found.length };
  }
  const piece = /^.*?(?:\}\}|%\}|$)/m.exec(field.value.slice(start));
  return { start, end: start + piece[0].length };
}

function equip(list) {
  for (const button of list.querySelectorAll("button[hidden]")) button.hidden = false;
}

for (const list of form.querySelectorAll(".tpl-remarks")) {
  equip(list);
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const field = document.getElementById(list.dataset.of);
    const place = placeOf(button.closest("li"), field);
    if (!place) return;
    reveal(field, place.start);
    if (button.dataset.better) replace(field, place.start, place.end, button.dataset.better);
    else field.setSelectionRange(place.start, place.end);
  });
}

function reveal(field, start) {
  field.focus();
  const line = mirror.children[field.value.slice(0, start).split("\n").length - 1];
  if (field === source && line) source.scrollTop = line.offsetTop - source.clientHeight / 3;
}

// --- Behind the message: line numbers, merge fields tinted, what is wrong underlined ------------

const mirror = form.querySelector(".tpl-mirror");
const painted = []; // what each line was painted from

function paint() {
  const plain = source.value.length > MAX_PAINTED;
  source.parentElement.classList.toggle("tpl-lines", !plain);
  if (plain) {
    mirror.replaceChildren();
    painted.length = 0;
    return;
  }
  const marks = wrongPlaces();
  let start = 0;
  const lines = source.value.split("\n");
  lines.forEach((text, index) => {
    const end = start + text.length;
    const here = marks
      .filter((mark) => mark.start < end && mark.end > start)
      .map((mark) => ({ start: mark.start - start, end: mark.end - start, name: mark.name }));
    const key = text + JSON.stringify(here);
    if (painted[index] !== key) {
      const line = paintedLine(text, here);
      if (mirror.children[index]) mirror.children[index].replaceWith(line);
      else mirror.append(line);
      painted[index] = key;
    }
    start = end + 1;
  });
  while (mirror.children.length > lines.length) mirror.lastChild.remove();
  painted.length = lines.length;
  fit();
}

function wrongPlaces() {
  return [...document.querySelectorAll("#html_remarks li[data-line]")].flatMap((remark) => {
    const place = placeOf(remark, source);
    return place ? [{ ...place, name: "tpl-wrong" }] : [];
  });
}

function paintedLine(text, marks) {
  const parts = [...text.matchAll(/\{\{.*?\}\}|\{%.*?%\}/g)].map((piece) => ({
    start: piece.index,
    end: piece.index + piece[0].length,
    name: "tpl-piece",
  }));
  parts.push(...marks);
  const cuts = [...new Set([0, text.length, ...parts.flatMap((part) => [part.start, part.end])])]
    .filter((cut) => cut >= 0 && cut <= text.length)
    .sort((a, b) => a - b);
  const line = document.createElement("div");
  cuts.slice(1).forEach((end, index) => {
    const start = cuts[index];
    const names = parts.filter((part) => part.start <= start && part.end >= end).map((part) => part.name);
    const bit = text.slice(start, end);
    if (!names.length) return line.append(bit);
    const span = document.createElement("span");
    span.className = names.join(" ");
    span.textContent = bit;
    line.append(span);
  });
  if (!text) line.append("\u200b");
  return line;
}

// The mirror wraps where the text does: as wide as the text, without its scroll bar.
function fit() {
  mirror.style.width = `${source.clientWidth + 2 * source.clientLeft}px`;
  mirror.scrollTop = source.scrollTop;
}

paint();
source.addEventListener("input", paint);
source.addEventListener("scroll", () => (mirror.scrollTop = source.scrollTop));
new ResizeObserver(fit).observe(source);

// --- At first: to what was refused, else past the head to what people read ----------------------

const head = /<body\b[^>]*>/i.exec(source.value);
if (head) {
  const line = mirror.children[source.value.slice(0, head.index).split("\n").length - 1];
  if (line) source.scrollTop = line.offsetTop - 4;
  source.setSelectionRange(head.index + head[0].length, head.index + head[0].length);
}
const refused = form.querySelector(".dp-invalid :is(input, textarea)");
refused?.focus();
const reason = refused === source && form.querySelector("#html_remarks li[data-line]");
const spot = reason && placeOf(reason, source);
if (spot) {
  reveal(source, spot.start);
  source.setSelectionRange(spot.start, spot.start);
}

// --- Saving -------------------------------------------------------------------------------------

const content = () => JSON.stringify([...form.querySelectorAll("#id_name, #id_subject, #id_html")].map((field) => field.value));
const saved = form.dataset.typed ? "" : content();
let saving = false;

function say(text) {
  state.textContent = text || (content() === saved ? "" : state.dataset.changed);
}

form.addEventListener("input", () => say(""));
form.addEventListener("submit", (event) => {
  if (event.submitter !== previewButton) saving = true;
});
addEventListener("keydown", (event) => {
  if (event.key !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector(".dp-button-primary"));
});
addEventListener("beforeunload", (event) => {
  if (!saving && content() !== saved) event.preventDefault();
});
// Back from another page, a browser may have put what was typed into the form again.
addEventListener("pageshow", () => {
  saving = false;
  if (form.dataset.typed || content() !== saved) refresh();
});
say("");
