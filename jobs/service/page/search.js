// The catalog: facets, grid, search by words and by picture.

import { ask, button, byId, complain, dot, make, meter, picture, productPath, shape, titleOf } from "./dom.js";
import { money, named, percent, reasonText, word } from "./words.js";

const PAGE_SIZE = 24;
const SHOWN_VALUES = 8;
const LISTS = ["category", "color", "pattern", "gender", "material", "season", "usage", "shape", "brand"];
const SORTS = ["relevance", "price", "-price", "-quality", "-confidence", "confidence", "-changed"];
const OPEN = new Set(["category", "color", "pattern"]);

let upload = null; // { file, url } of a search by picture
let aborter = null;
const expanded = new Set();

export const setUpload = (file) => {
  if (upload) URL.revokeObjectURL(upload.url);
  upload = file ? { file, url: URL.createObjectURL(file) } : null;
};

export const hashOf = (parameters) => {
  const text = parameters.toString();
  return text ? `#/?${text}` : "#/";
};

const go = (parameters) => {
  const hash = hashOf(parameters);
  if (location.hash === hash) window.dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = hash;
};

const changed = (parameters, change) => {
  const copy = new URLSearchParams(parameters);
  change(copy);
  go(copy);
};

const toggled = (parameters, name, value) => changed(parameters, (copy) => {
  const values = copy.getAll(name);
  copy.delete(name);
  const rest = values.includes(value) ? values.filter((one) => one !== value) : [...values, value];
  rest.forEach((one) => copy.append(name, one));
});

// A category replaces the one chosen before: a tree is walked, not ticked.
const walked = (parameters, value) => changed(parameters, (copy) => {
  const was = copy.get("category");
  copy.delete("category");
  if (was !== value) copy.set("category", value);
});

const filterCount = (parameters) =>
  [...parameters.keys()].filter((name) => !["q", "sort", "by"].includes(name)).length;

const request = async (parameters, page) => {
  aborter?.abort();
  aborter = new AbortController();
  const asked = new URLSearchParams(parameters);
  asked.set("page", page);
  asked.set("size", PAGE_SIZE);
  if (!upload) return ask(`/search?${asked}`, { signal: aborter.signal });
  ["q", "by", "sort"].forEach((name) => asked.delete(name));
  const options = { method: "POST", body: upload.file, signal: aborter.signal };
  options.headers = { "Content-Type": "application/octet-stream" };
  const answer = await ask(`/search/image?${asked}`, options);
  const counts = await ask(`/search?${new URLSearchParams([...asked, ["size", 1]])}`, { signal: aborter.signal });
  return { ...answer, facets: counts.facets, price: counts.price };
};

// --- cards ---------------------------------------------------------------------------------------------------------
export const card = (one, eager = false) => {
  const link = make("a", "card");
  link.href = productPath(one.product_id);
  link.dataset.id = one.product_id;
  const shot = make("span", "shot", picture(one.image, 320, titleOf(one), eager));
  if (one.needs_review) shot.append(make("span", "badge", word("needsReview")));
  const facts = make("span", "facts-line");
  if (one.color) {
    const color = make("span", "fact", dot(one.color_hex), named(one.color_name));
    facts.append(color);
  }
  if (one.pattern) facts.append(make("span", "fact", named(one.pattern_name)));
  const type = make("span", "type", make("span", "type-name", one.category_name ? named(one.category_name) : word("notSure")));
  if (one.category_confidence !== null) type.append(make("span", "score", percent(one.category_confidence)));
  const title = make("span", "title", titleOf(one));
  title.dir = "auto";
  const text = make("span", "text", title, type, facts, make("span", "price", money(one)));
  if (one.reason) text.append(make("span", "reason", reasonText(one.reason)));
  link.append(shot, text);
  return link;
};

// --- facets --------------------------------------------------------------------------------------------------------
const group = (name, title, ...children) => {
  const details = make("details", "facet", make("summary", "", title), ...children);
  details.dataset.facet = name;
  details.open = OPEN.has(name);
  details.addEventListener("toggle", () => (details.open ? OPEN.add(name) : OPEN.delete(name)));
  return details;
};

const tree = (facet, parameters) => {
  const chosen = parameters.get("category") || "";
  const list = make("ul", "tree");
  facet.values.forEach((one) => {
    const depth = one.value.split("/").length - 1;
    const parent = one.value.split("/").slice(0, -1).join("/");
    const shown = depth === 0 || `${chosen}/`.startsWith(`${parent}/`);
    if (!shown || (one.count === 0 && one.value !== chosen)) return;
    const item = button("facet-value", make("span", "", named(one.name)), () => walked(parameters, one.value), {
      "aria-pressed": chosen === one.value,
      "data-value": one.value,
    });
    item.append(make("span", "count", one.count.toLocaleString()));
    const row = make("li", `depth-${depth}`, item);
    list.append(row);
  });
  return list;
};

const swatches = (facet, parameters) => {
  const chosen = parameters.getAll("color");
  const list = make("ul", "swatch-list");
  facet.values.forEach((one) => {
    const label = `${named(one.name)} (${one.count})`;
    const item = button("swatch", dot(one.hex), () => toggled(parameters, "color", one.value), {
      "aria-pressed": chosen.includes(one.value), "aria-label": label, title: label, "data-value": one.value,
    });
    list.append(make("li", "", item));
  });
  return list;
};

const choices = (facet, parameters) => {
  const chosen = parameters.getAll(facet.name);
  const list = make("ul", "choices");
  const all = expanded.has(facet.name);
  const values = facet.values.filter((one, place) => all || place < SHOWN_VALUES || chosen.includes(one.value));
  values.forEach((one) => {
    const box = make("input");
    box.type = "checkbox";
    box.checked = chosen.includes(one.value);
    box.dataset.value = one.value;
    box.addEventListener("change", () => toggled(parameters, facet.name, one.value));
    const label = make("label", "choice", box, make("span", "", named(one.name)), make("span", "count", one.count.toLocaleString()));
    list.append(make("li", "", label));
  });
  if (facet.values.length > SHOWN_VALUES) {
    const more = button("quiet-button", word(all ? "fewer" : "showAll"), () => {
      if (all) expanded.delete(facet.name);
      else expanded.add(facet.name);
      list.replaceWith(choices(facet, parameters));
    });
    list.append(make("li", "", more));
  }
  return list;
};

const priceFilter = (range, parameters) => {
  const row = make("div", "price-row");
  const field = (name, label, hint) => {
    const input = make("input");
    Object.assign(input, { type: "number", min: 0, step: "any", value: parameters.get(name) || "", placeholder: hint });
    input.setAttribute("aria-label", `${word("priceFilter")} ${label}`);
    input.addEventListener("change", () => changed(parameters, (copy) => {
      copy.delete(name);
      if (input.value !== "" && Number(input.value) >= 0) copy.set(name, input.value);
    }));
    return input;
  };
  const [low, high] = range || ["", ""];
  row.append(field("price_min", word("from"), low), make("span", "quiet", "–"), field("price_max", word("to"), high));
  return group("price", word("priceFilter"), row);
};

const slider = (name, title, parameters) => {
  const output = make("output", "score");
  const input = make("input");
  Object.assign(input, { type: "range", min: 0, max: 0.95, step: 0.05, value: parameters.get(name) || 0 });
  input.setAttribute("aria-label", title);
  const show = () => { output.textContent = Number(input.value) ? percent(Number(input.value)) : word("all"); };
  input.addEventListener("input", show);
  input.addEventListener("change", () => changed(parameters, (copy) => {
    copy.delete(name);
    if (Number(input.value)) copy.set(name, input.value);
  }));
  show();
  return make("label", "slider", make("span", "slider-title", title, output), input);
};

const tick = (name, value, title, parameters) => {
  const box = make("input");
  box.type = "checkbox";
  box.checked = parameters.get(name) === value;
  box.addEventListener("change", () => changed(parameters, (copy) => {
    copy.delete(name);
    if (box.checked) copy.set(name, value);
  }));
  return make("label", "choice", box, make("span", "", title));
};

const facetPanel = (answer, parameters) => {
  const panel = make("aside", "facets");
  panel.id = "facets";
  panel.setAttribute("aria-label", word("filters"));
  const head = make("div", "facets-head", make("h2", "", word("filters")));
  if (filterCount(parameters)) {
    head.append(button("quiet-button", word("clear"), () => changed(parameters, (copy) => {
      [...new Set(copy.keys())].filter((name) => !["q", "sort", "by"].includes(name)).forEach((name) => copy.delete(name));
    })));
  }
  head.append(button("icon-button close-facets", "✕", () => document.body.classList.remove("filtering"), { "aria-label": word("close") }));
  panel.append(head);
  const makers = { category: tree, color: swatches };
  (answer.facets || []).filter((facet) => LISTS.includes(facet.name)).forEach((facet) => {
    panel.append(group(facet.name, named(facet.label), (makers[facet.name] || choices)(facet, parameters)));
    if (facet.name === "pattern") panel.append(priceFilter(answer.price, parameters));
  });
  panel.append(make(
    "div", "facet plain",
    slider("confidence_min", word("sureness"), parameters), slider("quality_min", word("quality"), parameters),
    tick("review", "yes", word("onlyReview"), parameters), tick("publishable", "yes", word("onlyPublishable"), parameters),
  ));
  return panel;
};

// --- what the picture showed ---------------------------------------------------------------------------------------
const uploadPanel = (seen) => {
  const image = make("img");
  image.src = upload.url;
  image.alt = "";
  const frame = make("span", "frame", image);
  if (seen.box) {
    const { x_min, y_min, x_max, y_max } = seen.box;
    const place = { x: x_min, y: y_min, width: Math.max(0, x_max - x_min), height: Math.max(0, y_max - y_min) };
    frame.append(shape("svg", { class: "overlay", viewBox: `0 0 ${seen.width_px} ${seen.height_px}` },
      shape("rect", { ...place, class: "under" }), shape("rect", { ...place, class: "over" })));
  }
  const type = seen.category_name ? named(seen.category_name) : word("notSure");
  const line = make("p", "", `${type} `);
  if (seen.category_confidence !== null) line.append(make("span", "score", percent(seen.category_confidence)));
  const color = make("p", "fact", dot(seen.color_hex), [seen.color_name, seen.pattern_name].filter(Boolean).map(named).join(" · "));
  const text = make("div", "upload-text", make("h2", "", word("byPicture")), make("h3", "quiet", word("seen")), line,
    meter(seen.category_confidence || 0), color,
    button("quiet-button", word("remove"), () => { setUpload(null); go(new URLSearchParams()); }));
  return make("div", "upload", frame, text);
};

// --- the view ------------------------------------------------------------------------------------------------------
const message = (answer) => {
  const notes = [];
  (answer.terms || []).filter((term) => term.written).forEach((term) => notes.push(word("mended")(term.written, term.text)));
  if (answer.is_relaxed) notes.push(answer.complete ? word("followed")(answer.complete) : word("relaxed"));
  return notes.length ? make("p", "note", notes.join(" ")) : null;
};

const sortBox = (parameters) => {
  const select = make("select");
  select.setAttribute("aria-label", word("sort"));
  SORTS.forEach((name) => select.add(new Option(word(name), name, false, (parameters.get("sort") || "relevance") === name)));
  select.addEventListener("change", () => changed(parameters, (copy) => {
    copy.delete("sort");
    if (select.value !== "relevance") copy.set("sort", select.value);
  }));
  return select;
};

let shown = 0;

export const showSearch = async (main, parameters) => {
  const mine = ++shown;
  byId("q").value = upload ? "" : parameters.get("q") || "";
  main.setAttribute("aria-busy", "true");
  let answer;
  try {
    answer = await request(parameters, 1);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (upload) setUpload(null);
    complain(error);
    if (mine === shown && !main.querySelector(".results")) main.replaceChildren(make("p", "empty", error.message));
    return;
  } finally {
    if (mine === shown) main.removeAttribute("aria-busy");
  }
  if (mine !== shown) return;
  const bar = make("div", "bar-row", make("h1", "total", word("products")(answer.total)));
  bar.firstChild.setAttribute("aria-live", "polite");
  const count = filterCount(parameters);
  bar.append(button("filters-button", count ? `${word("filters")} (${count})` : word("filters"), () => document.body.classList.add("filtering")));
  const by = parameters.get("by") === "look";
  if (!upload && parameters.get("q")) {
    bar.append(button("quiet-button look", word(by ? "lookOff" : "look"), () => changed(parameters, (copy) => {
      copy.delete("by");
      if (!by) copy.set("by", "look");
    }), { "aria-pressed": by }));
  }
  if (!upload && !by) bar.append(sortBox(parameters));
  const grid = make("div", "grid");
  grid.id = "grid";
  answer.items.forEach((one, place) => grid.append(card(one, place < 8)));
  const results = make("section", "results", upload ? uploadPanel(answer.seen) : null, bar, message(answer), grid);
  if (!answer.items.length) results.append(make("p", "empty", `${word("nothing")} ${word("nothingHint")}`));
  let page = 1;
  if (answer.pages > 1) {
    const more = button("more", word("more"), async () => {
      more.disabled = true;
      try {
        const next = await request(parameters, page + 1);
        page += 1;
        const first = grid.children.length;
        next.items.forEach((one) => grid.append(card(one)));
        grid.children[first]?.focus({ preventScroll: true });
        more.hidden = page >= next.pages;
      } catch (error) {
        complain(error);
      }
      more.disabled = false;
    });
    results.append(more);
  }
  const facetsOf = by && !upload ? { facets: [], price: null } : answer;
  main.replaceChildren(make("div", "catalog", facetPanel(facetsOf, parameters), results));
  document.title = parameters.get("q") ? `${parameters.get("q")} · Vitrine` : "Vitrine";
};
