"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const details = JSON.parse(byId("details").textContent);
  const cards = [...document.querySelectorAll(".card")];
  const form = byId("filters");
  if (!form) return;
  byId("no-script").hidden = true;

  // Everything from the page's data goes in as text, never as HTML.
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined && text !== null) element.textContent = text;
    return element;
  };

  const FIRST = 60; // cards shown before "Show all"
  let showsAll = false;
  let found = cards; // cards that pass the filters, shown or not yet

  // --- filters -----------------------------------------------------------------------------------------------------
  const inputs = {
    text: byId("f-text"), category: byId("f-category"), color: byId("f-color"), pattern: byId("f-pattern"),
    unsure: byId("f-unsure"), flagged: byId("f-flagged"), new: byId("f-new"),
  };
  const haystacks = cards.map((card, index) => {
    const detail = details.pictures[index];
    const words = [card.querySelector(".text").textContent, detail.title, card.dataset.category];
    detail.facts.forEach((fact) => words.push(fact[1]));
    detail.labels.forEach((label) => words.push(label[0]));
    detail.lines.forEach((line) => words.push(line[0]));
    detail.fields.forEach((field) => words.push(field[1]));
    detail.categories.forEach((category) => words.push(category[0]));
    return words.join(" ").toLowerCase();
  });

  const hasCategory = (path, wanted) =>
    wanted === "unsure" ? path === "" : path === wanted || path.startsWith(wanted + "/");

  const matches = (card, index, words) =>
    (!inputs.category.value || hasCategory(card.dataset.category, inputs.category.value)) &&
    (!inputs.color.value || card.dataset.color === inputs.color.value) &&
    (!inputs.pattern.value || card.dataset.pattern === inputs.pattern.value) &&
    ["unsure", "flagged", "new"].every((name) => !inputs[name] || !inputs[name].checked || name in card.dataset) &&
    words.every((word) => haystacks[index].includes(word));

  const applyFilters = () => {
    const words = inputs.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = cards.filter((card, index) => matches(card, index, words));
    const shown = new Set(showsAll ? found : found.slice(0, FIRST));
    cards.forEach((card) => { card.hidden = !shown.has(card); });
    const isFiltered = found.length < cards.length || words.length > 0;
    byId("shown").textContent = isFiltered ? `${found.length} of ${cards.length} pictures` : `${cards.length} pictures`;
    byId("clear").hidden = !isFiltered;
    byId("nothing").hidden = found.length > 0;
    byId("more").hidden = shown.size === found.length;
    byId("more").textContent = `Show all ${found.length}`;
  };
  byId("more").addEventListener("click", () => {
    showsAll = true;
    applyFilters();
    found[FIRST].querySelector(".shot").focus({ preventScroll: true });
  });
  form.addEventListener("input", applyFilters);
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("clear").addEventListener("click", () => {
    form.reset();
    applyFilters();
  });

  document.querySelectorAll("button[data-filter]").forEach((button) => {
    button.addEventListener("click", () => {
      form.reset();
      const select = inputs[button.dataset.filter];
      const value = button.dataset.value;
      if (![...select.options].some((option) => option.value === value)) {
        // No picture of the sample has it: an option is added, so that the page can say so.
        select.add(new Option(`${button.querySelector(".bar-label").textContent.trim()} (0)`, value));
      }
      select.value = value;
      applyFilters();
      byId("pictures").scrollIntoView();
      select.focus({ preventScroll: true });
    });
  });

  applyFilters();

  // --- details dialog ----------------------------------------------------------------------------------------------
  const dialog = byId("dialog");
  let current = null;

  const section = (title, ...children) => {
    const element = make("section");
    element.append(make("h3", "", title), ...children);
    return element;
  };
  const percent = (score) => (score > 0 && score < 0.01 ? "<1%" : `${Math.round(score * 100)}%`);

  const scoreList = (scores) => {
    const list = make("ul", "scores");
    scores.forEach(([label, score]) => {
      const item = make("li");
      const meter = make("span", "meter");
      const fill = make("span");
      fill.style.width = `${100 * score}%`;
      meter.append(fill);
      item.append(make("span", "label", label), make("span", "score", percent(score)), meter);
      list.append(item);
    });
    return list;
  };

  // A line that is pointed at is lit in the picture.
  const lineList = (lines) => {
    const list = scoreList(lines);
    const quads = byId("d-picture").querySelectorAll("polygon.line");
    [...list.children].forEach((item, index) => {
      item.querySelector(".label").dir = "auto";
      ["mouseenter", "mouseleave"].forEach((kind) => item.addEventListener(kind, () => {
        if (quads[index]) quads[index].classList.toggle("lit", kind === "mouseenter");
      }));
    });
    return list;
  };
  const factList = (facts) => {
    const list = make("dl", "facts");
    facts.forEach(([label, value, comment]) => {
      const row = make("div");
      const term = make("dt", "", label);
      if (comment) row.title = comment;
      const description = make("dd");
      description.append(make("bdi", "", value));
      row.append(term, description);
      list.append(row);
    });
    return list;
  };

  const colorList = (colors) => {
    const list = make("ul", "swatches");
    colors.forEach(([name, nameZh, hex, share, lab]) => {
      const item = make("li");
      const dot = make("span", "dot");
      dot.style.background = hex;
      const chinese = make("span", "", nameZh);
      chinese.lang = "zh-Hans";
      const label = make("span", "", `${name} `);
      label.append(chinese, make("span", "quiet lab", `${hex}, ${lab}`));
      item.append(dot, label, make("span", "score", percent(share)));
      list.append(item);
    });
    return list;
  };

  const named = ([value, confidence]) =>
    value ? value + (confidence === null ? "" : `, ${percent(confidence)} sure`) : "not sure";

  const show = (card) => {
    current = card;
    const detail = details.pictures[Number(card.dataset.index)];
    byId("d-title").textContent = detail.title || "Untitled";
    const picture = byId("d-picture");
    picture.replaceChildren(...[...card.querySelector(".shot").children].map((child) => child.cloneNode(true)));
    const content = byId("d-content");
    content.replaceChildren(
      factList([["Color", named(detail.color)], ["Pattern", named(detail.pattern)], ["Shape", named(detail.shape)]]),
    );
    if (detail.fields.length) content.append(section("Facts read from the picture", factList(detail.fields.map(
      ([name, value, score, evidence]) => [name, `${value}, ${percent(score)} sure`, `Read: ${evidence}`]))));
    if (detail.lines.length) content.append(section("Text in the picture", lineList(detail.lines)));
    if (detail.categories.length) content.append(section("Category", scoreList(detail.categories)));
    if (detail.attributes.length) content.append(section("What the model says of it", scoreList(detail.attributes)));
    if (detail.labels.length) content.append(section("The model's own labels", scoreList(detail.labels)));
    if (detail.colors.length) content.append(section("Colors", colorList(detail.colors)));
    content.append(section("Where it comes from", factList(detail.facts)));
    details.groups.forEach((group, position) => {
      const values = detail.values[position];
      const facts = group.fields.map(([label, comment], index) => [label, values[index], comment]);
      content.append(section(group.title, factList(facts)));
    });
    const place = found.indexOf(card);
    byId("d-position").textContent = `${place + 1} of ${found.length}`;
    byId("d-previous").disabled = place <= 0;
    byId("d-next").disabled = place >= found.length - 1;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    dialog.querySelector(".dialog-text").scrollTop = 0;
  };

  const step = (by) => {
    const next = found[found.indexOf(current) + by];
    if (next) show(next);
  };

  byId("grid").addEventListener("click", (event) => {
    const card = event.target.closest(".card");
    if (card && !String(window.getSelection())) show(card);
  });
  byId("d-previous").addEventListener("click", () => step(-1));
  byId("d-next").addEventListener("click", () => step(1));
  byId("d-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  dialog.addEventListener("close", () => {
    if (!current) return;
    if (current.hidden) {
      showsAll = true;
      applyFilters();
    }
    current.querySelector(".shot").focus();
  });
})();
