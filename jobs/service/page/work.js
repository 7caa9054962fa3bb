// What people work on: the review queue with its corrections, and quarantine.

import { ask, button, complain, make, notify, picture, productPath, sure, titleOf } from "./dom.js";
import { current, named, word } from "./words.js";

let known = null;
// What may be corrected, by attribute: label, values, is_open, is_many.
export const vocabulary = async () => (known ||= (await ask("/vocabulary")).attributes);

const CATEGORY_BLANKS = "\u2003";

// A list to choose from; where other texts are taken too, a field that proposes the listed ones.
export const valuePicker = async (attribute, chosen) => {
  const { values, is_open: isOpen, is_many: isMany } = (await vocabulary())[attribute];
  if (isOpen) {
    const list = make("datalist");
    list.id = `values-of-${attribute}`;
    values.forEach((one) => list.append(new Option(named(one.name))));
    const input = make("input", "", list);
    input.setAttribute("list", list.id);
    input.setAttribute("aria-label", word("choose"));
    input.placeholder = word(isMany ? "severalValues" : "freeValue");
    input.maxLength = 200;
    input.value = chosen;
    return input;
  }
  const select = make("select");
  select.setAttribute("aria-label", word("choose"));
  select.add(new Option(word("choose"), ""));
  values.forEach((one) => {
    const depth = attribute === "category" ? one.value.split("/").length - 1 : 0;
    select.add(new Option(CATEGORY_BLANKS.repeat(depth) + named(one.name), one.value, false, one.value === chosen));
  });
  return select;
};

export const save = (productId, attribute, value) =>
  ask("/corrections", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ product_id: productId, attribute, value }),
  });

const withdraw = (id) => ask(`/corrections/${encodeURIComponent(id)}`, { method: "DELETE" });

// --- review --------------------------------------------------------------------------------------------------------
const PAGE_SIZE = 20;

const settle = (row, productId, attribute, value, name) => {
  const done = make("p", "settled");
  save(productId, attribute, value).then((saved) => {
    const undo = button("quiet-button", word("undo"), async () => {
      try {
        await withdraw(saved.id);
        row.classList.remove("done");
        done.remove();
      } catch (error) {
        complain(error);
      }
    });
    done.append(make("span", "status good", `✓ ${named(saved.name) || name}`), make("span", "quiet", word("saved")), undo);
    row.classList.add("done");
    row.append(done);
    const rows = [...document.querySelectorAll(".review-row:not(.done)")];
    rows.find((one) => one.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_PRECEDING)?.focus();
  }).catch(complain);
};

const choice = (row, item, attribute, value, names, detail, number) => {
  const label = make("span", "choice-name");
  if (number) label.append(make("kbd", "", String(number)));
  label.append(named(names));
  return button("choice-button", label, () => settle(row, item.card.product_id, attribute, value, named(names)), {
    "data-value": value, "data-attribute": attribute, title: detail,
  });
};

const other = (row, item, attribute) => {
  const place = make("span", "other");
  place.append(button("quiet-button", word("other"), async () => {
    try {
      const picker = await valuePicker(attribute, "");
      picker.addEventListener("change", () => {
        if (picker.value) settle(row, item.card.product_id, attribute, picker.value, picker.value);
      });
      place.replaceChildren(picker);
      picker.focus();
    } catch (error) {
      complain(error);
    }
  }));
  return place;
};

const reviewRow = (item) => {
  const row = make("li", "review-row");
  row.tabIndex = 0;
  row.dataset.id = item.card.product_id;
  const link = make("a", "shot", picture(item.card.image, 160, titleOf(item.card)));
  link.href = productPath(item.card.product_id);
  link.tabIndex = -1;
  const title = make("a", "title", titleOf(item.card));
  title.href = productPath(item.card.product_id);
  title.dir = "auto";
  const reasons = make("p", "flags", ...item.reasons.map((reason) => make("span", "status warn", word("reasons")[reason] || reason)));
  const body = make("div", "review-body", title, reasons);
  let number = 1;
  item.conflicts.forEach((one) => {
    const source = (name) => word("source")[name] || name;
    const question = make("p", "question", word("which")(named(one.label)));
    const sides = make("div", "choice-row");
    [[one.value, one.name, one.source, one.confidence], [one.other_value, one.other_name, one.other_source, one.other_confidence]].forEach(([value, names, who, how]) => {
      const option = choice(row, item, one.attribute, value, names, `${source(who)}, ${sure(how)}`, number);
      option.append(make("span", "quiet", `${source(who)}, ${sure(how)}`));
      sides.append(option);
      number += 1;
    });
    sides.append(other(row, item, one.attribute));
    body.append(question, sides);
  });
  if (!item.conflicts.some((one) => one.attribute === "category")) {
    const options = make("div", "choice-row");
    item.candidates.forEach((one) => {
      const option = choice(row, item, "category", one.value, one.name, `${one.count}%`, number <= 9 ? number : 0);
      option.append(make("span", "quiet", `${one.count}%`));
      if (one.value === item.card.category) option.classList.add("present");
      options.append(option);
      number += 1;
    });
    options.append(other(row, item, "category"));
    body.append(make("p", "question", word("whatIsIt")), options);
  }
  row.append(link, body);
  row.addEventListener("keydown", (event) => {
    if (event.target.closest("select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = [...document.querySelectorAll(".review-row:not(.done)")];
    const place = rows.indexOf(row);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      rows[place + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
    } else if (/^[1-9]$/.test(event.key) && !row.classList.contains("done")) {
      row.querySelectorAll(".choice-button")[Number(event.key) - 1]?.click();
    }
  });
  return row;
};

const waitingList = async (redraw) => {
  const { items } = await ask("/corrections");
  if (!items.length) return null;
  const list = make("ul", "waiting");
  items.forEach((one) => {
    const link = make("a", "", one.product_id);
    link.href = productPath(one.product_id);
    const when = new Date(one.corrected_at).toLocaleString(current());
    list.append(make("li", "", link, make("span", "", `${one.attribute}: ${named(one.name)}`), make("span", "quiet", `${one.corrected_by}, ${when}`),
      button("quiet-button", word("undo"), async () => {
        try {
          await withdraw(one.id);
          redraw();
        } catch (error) {
          complain(error);
        }
      })));
  });
  return make("details", "waiting-box", make("summary", "", word("waiting")(items.length)), list);
};

const tabs = (options, chosen, hashFor) => {
  const list = make("div", "tabs");
  options.forEach(([value, label]) => {
    const link = make("a", "", label);
    link.href = hashFor(value);
    if (value === chosen) link.setAttribute("aria-current", "true");
    list.append(link);
  });
  return list;
};

export const showReview = async (main, parameters) => {
  const reason = parameters.get("reason") || "";
  const redraw = () => showReview(main, parameters);
  try {
    const asked = new URLSearchParams({ size: PAGE_SIZE, ...(reason && { reason }) });
    const [answer, waiting] = await Promise.all([ask(`/review?${asked}`), waitingList(redraw)]);
    const list = make("ul", "review-list", ...answer.items.map(reviewRow));
    const view = make("section", "work", make("h1", "", `${word("reviewTitle")} `, make("span", "quiet", String(answer.total))),
      make("p", "lead", word("reviewLead")),
      tabs(Object.entries(word("reviewFilter")), reason, (value) => (value ? `#/review?reason=${value}` : "#/review")), waiting, list);
    if (!answer.items.length) view.append(make("p", "empty", word("reviewDone")));
    let page = 1;
    if (answer.pages > 1) {
      const more = button("more", word("more"), async () => {
        try {
          // What is settled leaves the queue, so places shift: only rows that are not there yet are added.
          const next = await ask(`/review?${new URLSearchParams([...asked, ["page", page + 1]])}`);
          page += 1;
          const there = new Set([...list.children].map((row) => row.dataset.id));
          list.append(...next.items.filter((item) => !there.has(item.card.product_id)).map(reviewRow));
          more.hidden = page >= next.pages;
        } catch (error) {
          complain(error);
        }
      });
      view.append(more);
    }
    main.replaceChildren(view);
    document.title = `${word("reviewTitle")} · Vitrine`;
  } catch (error) {
    main.replaceChildren(make("p", "empty", error.message));
  }
};

// --- quarantine ----------------------------------------------------------------------------------------------------
const QUARANTINE_SIZE = 50;

const quarantineRow = (entry) => {
  const row = make("li", "entry");
  row.append(make("code", "", entry.image_uri || entry.product_id || "?"));
  if (entry.detail) row.append(make("p", "detail", entry.detail));
  const facts = make("p", "quiet");
  const parts = [entry.reason.replaceAll("_", " "), word(entry.retryable ? "retryable" : "permanent")];
  if (entry.product_id) parts.push(`${word("product")} ${entry.product_id}`);
  if (entry.attempts > 1) parts.push(word("nights")(entry.attempts));
  parts.push(new Date(entry.last_seen_at).toLocaleDateString(current()));
  facts.textContent = parts.join(" · ");
  row.append(facts);
  return row;
};

export const showQuarantine = async (main, parameters) => {
  const reason = parameters.get("reason") || "";
  try {
    const asked = new URLSearchParams({ size: QUARANTINE_SIZE, ...(reason && { reason }) });
    const answer = await ask(`/quarantine?${asked}`);
    const options = [["", word("all")], ...Object.entries(answer.reasons).map(([name, count]) => [name, `${name.replaceAll("_", " ")} ${count}`])];
    const list = make("ul", "entries", ...answer.items.map(quarantineRow));
    const view = make("section", "work", make("h1", "", `${word("quarantineTitle")} `, make("span", "quiet", String(answer.total))),
      make("p", "lead", word("quarantineLead")),
      tabs(options, reason, (value) => (value ? `#/quarantine?reason=${encodeURIComponent(value)}` : "#/quarantine")), list);
    if (!answer.items.length) view.append(make("p", "empty", word("quarantineEmpty")));
    let page = 1;
    if (answer.pages > 1) {
      const more = button("more", word("more"), async () => {
        try {
          const next = await ask(`/quarantine?${new URLSearchParams([...asked, ["page", page + 1]])}`);
          page += 1;
          list.append(...next.items.map(quarantineRow));
          more.hidden = page >= next.pages;
        } catch (error) {
          complain(error);
        }
      });
      view.append(more);
    }
    main.replaceChildren(view);
    document.title = `${word("quarantineTitle")} · Vitrine`;
  } catch (error) {
    notify(error.message);
    main.replaceChildren(make("p", "empty", error.message));
  }
};

