// Tables are put in order by a click on a heading, long ones sifted by a word. Without this script
// they stand as they are written. Text is only ever set as text.
"use strict";
{
  const LANGUAGE = document.documentElement.lang;
  const [GROUP, DECIMAL] = ["group", "decimal"].map(
    (type) => new Intl.NumberFormat(LANGUAGE).formatToParts(12345.6).find((part) => part.type === type).value,
  );
  const LONG = 8; // rows from which on a table can be sifted

  const said = (row, at) => row.cells[at]?.textContent.trim() ?? "";

  // What a cell is put in order by: the first number in it, or a day as it is written.
  function weight(words) {
    if (/^\d{4}-\d\d/.test(words)) return words;
    const number = words.replaceAll(GROUP, "").replaceAll(DECIMAL, ".").match(/\d+(\.\d+)?/);
    return number ? Number(number[0]) * (/^[-\u2212]/.test(words) ? -1 : 1) : words;
  }

  function compare(one, other, isFigures) {
    if (!isFigures) return one.localeCompare(other, LANGUAGE);
    const [a, b] = [weight(one), weight(other)];
    return typeof a === typeof b ? (a > b) - (a < b) : (typeof a > typeof b) - 0.5;
  }

  function sort(table, rows, at, way) {
    const isFigures = table.tHead.rows[0].cells[at].classList.contains("gt_right");
    const order = [...rows];
    if (way) {
      order.sort((one, other) => {
        const [a, b] = [said(one, at), said(other, at)];
        if (!a || !b) return !a - !b; // blanks stay at the end
        return way * compare(a, b, isFigures);
      });
    }
    table.tBodies[0].append(...order);
  }

  function headings(table, rows) {
    const cells = [...table.tHead.rows[0].cells];
    for (const [at, cell] of cells.entries()) {
      if (!rows.some((row) => said(row, at))) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...cell.childNodes);
      cell.append(button);
      button.addEventListener("click", () => {
        const before = cell.getAttribute("aria-sort");
        const way = { null: 1, ascending: -1, descending: 0 }[before];
        for (const each of cells) each.removeAttribute("aria-sort");
        if (way) cell.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
        sort(table, rows, at, way);
      });
    }
  }

  function sieve(table, rows) {
    const line = document.createElement("p");
    const label = document.createElement("label");
    const box = document.createElement("input");
    const count = document.createElement("output");
    line.className = "sift on-screen";
    label.textContent = say("Rows with the word");
    box.type = "search";
    box.autocomplete = "off";
    label.append(" ", box);
    line.append(label, count);
    table.before(line);
    box.addEventListener("input", () => {
      const word = box.value.trim().toLocaleLowerCase();
      for (const row of rows) row.hidden = !row.textContent.toLocaleLowerCase().includes(word);
      const left = rows.filter((row) => !row.hidden).length;
      const found = say("{n} of {all}").replace("{n}", left).replace("{all}", rows.length);
      count.textContent = word ? found : "";
    });
  }

  for (const table of document.querySelectorAll(".numbers table, .people")) {
    const rows = [...table.tBodies[0].rows];
    if (rows.length > 1) headings(table, rows);
    if (rows.length >= LONG) sieve(table, rows);
  }
}
