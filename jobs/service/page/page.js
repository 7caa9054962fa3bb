// Starts the page: which view is shown, keys, language, pictures that are dropped.

import { ask, byId, complain } from "./dom.js";
import { showProduct } from "./product.js";
import { hashOf, setUpload, showSearch } from "./search.js";
import { current, setLanguage, word } from "./words.js";
import { showQuarantine, showReview } from "./work.js";

const main = byId("main");
let resultsHash = "#/";
let lastProduct = null;
let view = "";

const parsed = () => {
  const [path, query] = location.hash.replace(/^#/, "").split("?");
  return { path: path || "/", parameters: new URLSearchParams(query || "") };
};

const route = async () => {
  const { path, parameters } = parsed();
  const before = view;
  document.body.classList.remove("filtering");
  if (path.startsWith("/product/")) view = "product";
  else view = { "/review": "review", "/quarantine": "quarantine" }[path] || "search";
  document.querySelectorAll("nav a").forEach((link) => {
    link.toggleAttribute("aria-current", link.dataset.view === view);
  });
  if (view === "product") {
    lastProduct = decodeURIComponent(path.slice("/product/".length));
    await showProduct(main, lastProduct, resultsHash);
    window.scrollTo(0, 0);
  } else if (view === "review") {
    await showReview(main, parameters);
  } else if (view === "quarantine") {
    await showQuarantine(main, parameters);
  } else {
    resultsHash = location.hash || "#/";
    await showSearch(main, parameters);
    if (before === "product" && lastProduct) {
      [...document.querySelectorAll("#grid .card")].find((card) => card.dataset.id === lastProduct)?.focus();
    }
  }
};

const words = () => {
  document.documentElement.lang = current() === "zh" ? "zh-Hans" : "en";
  document.querySelectorAll("[data-word]").forEach((element) => { element.textContent = word(element.dataset.word); });
  byId("q").placeholder = word("searchHint");
  byId("q").setAttribute("aria-label", word("search"));
  byId("pick").title = word("pick");
  byId("pick").setAttribute("aria-label", word("pick"));
  byId("language").textContent = current() === "zh" ? "English" : "中文";
  byId("language").lang = current() === "zh" ? "en" : "zh-Hans";
};

const state = async () => {
  try {
    const health = await ask("/health");
    const text = word("publication")(health.publication_id, health.products);
    byId("state").textContent = health.status === "stale" ? `${text} · ${word("stale")}: ${health.problem}` : text;
    byId("pick").hidden = !health.searches_by_image;
  } catch (error) {
    byId("state").textContent = error.message;
  }
};

const searchBy = (file) => {
  if (!file || !file.type.startsWith("image/")) return;
  setUpload(file);
  const blank = hashOf(new URLSearchParams());
  if (location.hash === blank || location.hash === "") route().catch(complain);
  else location.hash = blank;
};

byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  setUpload(null);
  const { path, parameters } = parsed();
  const next = new URLSearchParams(path === "/" ? parameters : "");
  next.delete("q");
  next.delete("by");
  if (byId("q").value.trim()) next.set("q", byId("q").value.trim());
  const hash = hashOf(next);
  if (location.hash === hash) route().catch(complain);
  else location.hash = hash;
});
byId("pick").addEventListener("click", () => byId("file").click());
byId("file").addEventListener("change", () => {
  searchBy(byId("file").files[0]);
  byId("file").value = "";
});

let dragging = 0;
const setDragging = (value) => {
  dragging = Math.max(0, value);
  byId("drop").hidden = dragging === 0;
};
window.addEventListener("dragenter", (event) => {
  if (event.dataTransfer?.types.includes("Files")) setDragging(dragging + 1);
});
window.addEventListener("dragleave", () => setDragging(dragging - 1));
window.addEventListener("dragover", (event) => event.preventDefault());
window.addEventListener("drop", (event) => {
  event.preventDefault();
  setDragging(0);
  searchBy(event.dataTransfer?.files[0]);
});
window.addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files || [])][0];
  if (file) searchBy(file);
});

// --- keys ----------------------------------------------------------------------------------------------------------
const columnsOf = (items) => {
  const top = items[0].offsetTop;
  const next = items.findIndex((item) => item.offsetTop !== top);
  return next < 0 ? items.length : next;
};

window.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !typing) {
    event.preventDefault();
    byId("q").focus();
    byId("q").select();
    return;
  }
  if (event.key === "Escape") {
    if (document.body.classList.contains("filtering")) document.body.classList.remove("filtering");
    else if (typing) event.target.blur();
    else if (view === "product") location.hash = resultsHash;
    return;
  }
  const items = [...document.querySelectorAll("#grid .card")];
  if (!items.length || (typing && !(event.target.id === "q" && event.key === "ArrowDown"))) return;
  const place = items.indexOf(document.activeElement);
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columnsOf(items), ArrowUp: -columnsOf(items) };
  if (!(event.key in steps)) return;
  event.preventDefault();
  const next = place < 0 ? 0 : place + steps[event.key];
  items[next]?.focus();
});

byId("language").addEventListener("click", () => {
  setLanguage(current() === "zh" ? "en" : "zh");
  words();
  state();
  route().catch(complain);
});
window.addEventListener("hashchange", () => route().catch(complain));

words();
state();
route().catch(complain);
