// Keeps what is typed into the notes in this browser, and hands it over as one file.
"use strict";
(() => {
  const form = document.querySelector("form.notes");
  const facts = JSON.parse(form.dataset.facts);
  const key = ["salesnb notes", facts.team, facts.rep_id, facts.as_of].join("\n");
  const fields = [...form.querySelectorAll("[name]")];
  const said = form.querySelector("[role=status]");
  const button = (name) => form.querySelector(`button[value=${name}]`);
  let sessionId = "";

  function newId() {
    const parts = crypto.getRandomValues(new Uint32Array(3));
    return "N" + [...parts].map((part) => part.toString(16).padStart(8, "0")).join("");
  }

  function written() {
    const session = {}, done = {};
    for (const field of fields) {
      const value = field.value.trim();
      if (field.dataset.done === undefined) session[field.name] = value;
      else if (value) done[field.dataset.done] = value;
    }
    return { ...facts, session_id: sessionId, session, done };
  }

  // What stands on paper in place of a field: all of the text, or a line to write on.
  function mirror() {
    for (const field of fields) {
      const chosen = field.tagName === "SELECT" ? field.selectedOptions[0] : null;
      const text = chosen ? (field.value ? chosen.textContent : "") : field.value;
      field.parentElement.querySelector(".written").textContent = text;
      field.parentElement.classList.toggle("is-blank", !text.trim());
    }
  }

  function store(value) {
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  }

  function stored() {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  }

  function show(notes) {
    sessionId = notes ? notes.session_id : "";
    for (const field of fields) {
      const done = field.dataset.done;
      const value = done === undefined ? notes?.session[field.name] : notes?.done[done];
      field.value = value ?? (done === undefined ? field.dataset.given ?? "" : "");
    }
    mirror();
  }

  form.addEventListener("input", () => {
    sessionId ||= newId();
    mirror();
    said.textContent = store(written())
      ? "Kept in this browser only. Download before you clear it."
      : "This browser keeps nothing: download before you close the page.";
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  button("download").addEventListener("click", () => {
    sessionId ||= newId();
    store(written());
    const text = JSON.stringify(written(), null, 2) + "\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = form.dataset.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    said.textContent = `Saved as ${form.dataset.file}. Into the log: salesnb log ${form.dataset.file} DATA`;
  });

  // Clearing takes two clicks, for it cannot be taken back.
  function ask(isAsking) {
    button("anew").hidden = isAsking;
    for (const name of ["clear", "keep"]) button(name).hidden = !isAsking;
    button(isAsking ? "keep" : "anew").focus();
  }
  button("anew").addEventListener("click", () => ask(true));
  button("keep").addEventListener("click", () => ask(false));
  button("clear").addEventListener("click", () => {
    store(null);
    show(null);
    ask(false);
    said.textContent = "Cleared.";
  });

  // The other copy of the same page may be open beside this one.
  window.addEventListener("storage", (event) => {
    if (event.key === key || event.key === null) show(stored());
  });
  show(stored());
})();
