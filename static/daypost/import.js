// A file may be dropped anywhere on the card, not only on the narrow field in it.

"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const input of document.querySelectorAll("input[type=file]")) {
    // The theme's script looks for a text field of its own beside each file, and fails without.
    input.hasChangeListener = true;
    takeDrops(input.closest(".dp-card"), input);
  }
});

function takeDrops(card, input) {
  card.addEventListener("dragover", (event) => {
    event.preventDefault();
    card.classList.add("dp-drop");
  });
  card.addEventListener("dragleave", (event) => {
    if (!card.contains(event.relatedTarget)) card.classList.remove("dp-drop");
  });
  card.addEventListener("drop", (event) => {
    event.preventDefault();
    card.classList.remove("dp-drop");
    if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
  });
}
