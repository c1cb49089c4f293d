// What two people write under "What do we agree?" stays in this browser until they download it.
// Both copies of a page share it and follow each other. Text is only ever set as text.
"use strict";
{
  const KEPT = say("Kept in this browser only, until you start anew.");
  const NOT_KEPT = say("This browser does not keep what you write: download it before you leave.");

  const at = (id) => document.getElementById(`note-${id}`);
  const form = document.getElementById("agreement");
  const { file, ...stamp } = JSON.parse(form.dataset.stamp);
  const key = JSON.stringify([stamp.format, stamp.version, stamp.team, stamp.rep_id, stamp.as_of]);
  const fields = [...form.querySelectorAll("[data-field]")];
  const done = [...form.querySelectorAll("[data-done]")];
  const [kind] = fields.filter((field) => field.dataset.field === "kind");

  let notes = blank();
  let isKept = true;

  function blank() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return { session_id: `N${digits}`, fields: { kind: "one_on_one" }, done: {} };
  }

  function understood(text) {
    try {
      const found = JSON.parse(text);
      return found.session_id && found.fields && found.done ? found : null;
    } catch {
      return null;
    }
  }

  function tell(words, isWarning = false) {
    const status = at("status");
    if (status.textContent !== words) status.textContent = words;
    status.classList.toggle("warning", isWarning);
  }

  // What the store holds, or null; a browser may refuse even to be asked.
  function stored() {
    try {
      return understood(localStorage.getItem(key));
    } catch {
      isKept = false;
      return null;
    }
  }

  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify(notes));
      isKept = true;
    } catch {
      isKept = false;
    }
    tell(isKept ? KEPT : NOT_KEPT, !isKept);
  }

  // The words as paper shows them: a box for typing prints no more than fits into it.
  function write(control) {
    const words = control.selectedOptions?.[0]?.text ?? control.value;
    control.parentElement.querySelector(".written").textContent = words;
  }

  function put(control, text) {
    if (control.value !== text) control.value = text;
    write(control);
  }

  function show() {
    for (const field of fields) put(field, String(notes.fields[field.dataset.field] ?? ""));
    for (const day of done) put(day, String(notes.done[day.dataset.done] ?? ""));
    at("due_on").min = at("held_on").value;
  }

  function change(event) {
    const control = event.target;
    // The other copy may have written since.
    if (isKept) notes = stored() ?? notes;
    if (control.dataset.field) notes.fields[control.dataset.field] = control.value;
    if (control.dataset.done) notes.done[control.dataset.done] = control.value;
    keep();
    write(control);
    at("due_on").min = at("held_on").value;
  }

  function download() {
    const wrong = [...fields, ...done].find((control) => !control.checkValidity());
    if (wrong) {
      const fold = wrong.closest("details");
      if (fold) fold.open = true;
      wrong.reportValidity();
      return;
    }
    keep();
    const written = Object.fromEntries(fields.map((field) => [field.dataset.field, field.value]));
    const days = done.filter((day) => day.value).map((day) => [day.dataset.done, day.value]);
    const { session_id } = notes;
    const content = { ...stamp, session_id, fields: written, done: Object.fromEntries(days) };
    const link = document.createElement("a");
    const type = "application/json";
    link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2)], { type }));
    link.download = file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    tell(say("{file} goes into the data set with: salesnb log {file} DATA").replaceAll("{file}", file));
  }

  function clear() {
    try {
      localStorage.removeItem(key);
    } catch {
      isKept = false;
    }
    notes = blank();
    show();
    at("sure").close();
    tell(say("Cleared."));
  }

  function follow(event) {
    if (!isKept || (event.key !== key && event.key !== null)) return;
    notes = understood(event.newValue) ?? blank();
    show();
  }

  form.addEventListener("input", change);
  at("download").addEventListener("click", download);
  at("anew").addEventListener("click", () => at("sure").showModal());
  at("keep").addEventListener("click", () => at("sure").close());
  at("clear").addEventListener("click", clear);
  addEventListener("storage", follow);
  notes = stored() ?? notes;
  show();
  tell(isKept ? KEPT : NOT_KEPT, !isKept);
}
