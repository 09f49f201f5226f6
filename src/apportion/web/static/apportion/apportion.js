// What pages do more comfortably with a script. Every page works without it.
"use strict";

// A button that sends a form is pressed once: the second press of a double click does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented || "download" in form.dataset) return; // after a file the page stays
  if (form.dataset.sending) {
    event.preventDefault();
    return;
  }
  form.dataset.sending = "yes";
  for (const button of form.querySelectorAll("button[type=submit]")) button.setAttribute("aria-busy", "true");
});

// Coming back by the browser's button shows the page as it was: its forms can be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sending]")) {
    delete form.dataset.sending;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }
});

// "Choose all" of a table: <input type="checkbox" data-choose="NAME"> ticks every box of that name.
document.addEventListener("change", (event) => {
  const name = event.target.dataset && event.target.dataset.choose;
  if (!name) return;
  for (const box of document.querySelectorAll("input[type=checkbox]")) {
    if (box.name === name && !box.disabled) box.checked = event.target.checked;
  }
});

// A choice that filters at once: <select data-send> sends its form when it changes.
document.addEventListener("change", (event) => {
  if (event.target.matches && event.target.matches("[data-send]")) event.target.form.requestSubmit();
});

// A text to be copied: <button data-copy="ID">.
document.addEventListener("click", async (event) => {
  const button = event.target.closest && event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  await navigator.clipboard.writeText(source.value || source.textContent.trim());
  if (button.dataset.copied) button.textContent = button.dataset.copied;
});

// One open question at a time, and Escape closes it.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.confirm[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});
