// Sorting and filtering of the table of runs. Without it the table is whole and in order.
"use strict";
{
  const table = document.querySelector("table.runs");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const cards = new Map([...document.querySelectorAll(".gallery > li")].map(c => [c.dataset.run, c]));
  const collator = new Intl.Collator("en", { numeric: true });
  const value = (row, k) => row.cells[k].dataset.value;
  const text = (row, k) => row.cells[k].textContent.trim();

  const compare = k => (a, b) => {
    const [x, y] = [value(a, k), value(b, k)];
    if (x !== undefined && y !== undefined) return x - y;
    if (x !== undefined || y !== undefined) return x === undefined ? 1 : -1;
    return collator.compare(text(a, k), text(b, k));
  };

  const sort = k => {
    const down = heads[k].ariaSort === "ascending";
    heads.forEach(h => { h.ariaSort = "none"; });
    heads[k].ariaSort = down ? "descending" : "ascending";
    body.append(...[...rows].sort((a, b) => (down ? -1 : 1) * compare(k)(a, b)));
  };

  const test = wanted => {
    const range = wanted.match(/^(-?[\d.eE+-]+)\.\.(-?[\d.eE+-]+)$/);
    if (range) return (x, _) => x !== undefined && +x >= +range[1] && +x <= +range[2];
    const order = wanted.match(/^(<=|>=|<|>|=)\s*(-?[\d.eE+-]+)$/);
    if (order) {
      const limit = +order[2];
      const holds = {
        "<": x => x < limit, ">": x => x > limit, "=": x => x === limit,
        "<=": x => x <= limit, ">=": x => x >= limit,
      }[order[1]];
      return (x, _) => x !== undefined && holds(+x);
    }
    return (_, shown) => shown.toLowerCase().includes(wanted.toLowerCase());
  };

  const fields = table.tHead.insertRow();
  const filter = () => {
    const tests = [...fields.cells].map(cell => cell.firstChild.value.trim())
      .map(wanted => (wanted ? test(wanted) : null));
    let shown = 0;
    for (const row of rows) {
      const fits = tests.every((holds, k) => !holds || holds(value(row, k), text(row, k)));
      row.hidden = !fits;
      const card = cards.get(row.dataset.run);
      if (card) card.hidden = !fits;
      shown += fits;
    }
    document.getElementById("shown").textContent = `${shown} of ${rows.length} runs shown.`;
  };

  heads.forEach((head, k) => {
    const name = head.textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => sort(k));
    head.replaceChildren(button);
    const field = document.createElement("input");
    field.type = "search";
    field.setAttribute("aria-label", `Filter by ${name}`);
    field.addEventListener("input", filter);
    fields.insertCell().append(field);
  });
  document.querySelectorAll("[data-script]").forEach(part => { part.hidden = false; });
  filter();
}
