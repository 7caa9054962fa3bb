// One product: its pictures with boxes, text and heat map, what is claimed of it and why, and what is like it.

import { ask, button, complain, dot, make, meter, notify, picture, productPath, servicePath, shape, sure, titleOf } from "./dom.js";
import { card } from "./search.js";
import { money, named, otherNamed, percent, word } from "./words.js";
import { save, valuePicker, vocabulary } from "./work.js";

const rectangle = ({ x_min, y_min, x_max, y_max }) => ({
  x: x_min, y: y_min, width: Math.max(0, x_max - x_min), height: Math.max(0, y_max - y_min),
});

const polygon = (quad) => {
  const points = [];
  for (let at = 0; at + 1 < quad.length; at += 2) points.push(`${quad[at]},${quad[at + 1]}`);
  return points.join(" ");
};

const section = (title, ...children) => make("section", "part", make("h2", "", title), ...children);

// --- the stage: a picture and what lies over it --------------------------------------------------------------------
const stage = (product) => {
  const frame = make("div", "stage");
  const tools = make("div", "stage-tools");
  const strip = make("div", "strip");
  const shown = product.pictures;
  const layers = { boxes: true, lines: false, heat: false };
  let place = Math.max(0, shown.findIndex((one) => one.image && one.image === product.card.image));
  let heatTarget = null;
  let highlighted = null;

  const overlay = (one) => {
    const seen = one.seen;
    if (!seen || !seen.width_px) return null;
    const svg = shape("svg", { class: "overlay", viewBox: `0 0 ${seen.width_px} ${seen.height_px}` });
    if (layers.boxes) {
      (seen.detections || []).filter((box) => box.label !== "product").forEach((found) => {
        svg.append(shape("rect", { ...rectangle(found.box), class: `found ${found.label === "tag" ? "tag" : "words"}` }));
      });
      if (seen.region && seen.region.box) {
        svg.append(shape("rect", { ...rectangle(seen.region.box), class: "under" }), shape("rect", { ...rectangle(seen.region.box), class: "over" }));
      }
    }
    if (layers.lines) (seen.text_lines || []).forEach((line) => svg.append(shape("polygon", { points: polygon(line.quad), class: "line" })));
    if (highlighted && highlighted.content === one.content_sha256 && highlighted.box) {
      svg.append(shape("rect", { ...rectangle(highlighted.box), class: "under" }), shape("rect", { ...rectangle(highlighted.box), class: "highlight" }));
    }
    return svg;
  };

  // Heat maps are made of described pictures, which are counted without the others.
  const describedPlace = () => shown.slice(0, place).filter((one) => one.seen).length;

  const draw = () => {
    const one = shown[place];
    if (!one) {
      frame.replaceChildren(picture(null, 0, ""));
      return;
    }
    const pictureFrame = picture(one.image, 1024, titleOf(product.card), true);
    frame.replaceChildren(pictureFrame);
    if (layers.heat && heatTarget && one.seen) {
      const heat = make("img", "heat");
      heat.alt = "";
      const asked = new URLSearchParams({ attribute: heatTarget.attribute, value: heatTarget.value, view: describedPlace() });
      frame.classList.add("busy");
      heat.addEventListener("load", () => frame.classList.remove("busy"));
      heat.addEventListener("error", async () => {
        frame.classList.remove("busy");
        layers.heat = false;
        draw();
        drawTools();
        ask(heat.src).catch(complain);
      });
      heat.src = servicePath(product.card.product_id, `/heat-map?${asked}`);
      frame.append(heat);
    }
    const svg = overlay(one);
    if (svg) frame.append(svg);
    [...strip.children].forEach((child, index) => child.setAttribute("aria-pressed", index === place));
  };

  const drawTools = () => {
    const one = shown[place];
    tools.replaceChildren();
    if (!one || !one.seen) return;
    const tool = (name) => button("tool", word(name), () => {
      layers[name] = !layers[name];
      draw();
      drawTools();
    }, { "aria-pressed": layers[name] });
    tools.append(tool("boxes"));
    if ((one.seen.text_lines || []).length) tools.append(tool("lines"));
    const targets = ["category", "color", "pattern"].map((attribute) => product.claims.find((claim) => claim.attribute === attribute && (claim.is_chosen || attribute === "category"))).filter(Boolean);
    if (targets.length) {
      heatTarget = targets.find((one) => heatTarget && one.attribute === heatTarget.attribute) || targets[0];
      tools.append(tool("heat"));
      if (layers.heat) {
        const select = make("select");
        select.setAttribute("aria-label", word("heat"));
        targets.forEach((target) => select.add(new Option(named(target.name), target.attribute, false, target === heatTarget)));
        select.addEventListener("change", () => {
          heatTarget = targets.find((target) => target.attribute === select.value);
          draw();
        });
        tools.append(select);
      }
    }
    if (shown.length > 1) tools.append(make("span", "quiet", word("pictureOf")(place + 1, shown.length)));
  };

  if (shown.length > 1) {
    shown.forEach((one, index) => {
      strip.append(button("thumb", picture(one.image, 160, word("pictureOf")(index + 1, shown.length)), () => {
        place = index;
        draw();
        drawTools();
      }));
    });
  }
  draw();
  drawTools();
  return {
    element: make("div", "stage-side", frame, tools, strip),
    highlight: (content, box) => {
      highlighted = content && box ? { content, box } : null;
      const index = shown.findIndex((one) => one.content_sha256 === content);
      if (highlighted && index >= 0) place = index;
      draw();
    },
    current: () => shown[place],
  };
};

// --- claims --------------------------------------------------------------------------------------------------------
const evidenceText = (evidence) => {
  if (!evidence || !evidence.kind) return null;
  const kind = word("evidenceKind")[evidence.kind] || evidence.kind;
  const line = make("span", "evidence", kind);
  if (evidence.text) line.append(" ", make("q", "", evidence.text));
  if (evidence.share !== null && evidence.share !== undefined) line.append(` ${percent(evidence.share)}`);
  return line;
};

const claimRow = (claim, board) => {
  const row = make("li", claim.is_chosen ? "claim chosen" : "claim");
  const value = make("span", "claim-value", named(claim.name));
  if (claim.attribute === "color") value.prepend(dot(claim.hex));
  const source = make("span", "quiet", `${word("source")[claim.source] || claim.source}, ${sure(claim.confidence)}`);
  row.append(make("span", "claim-line", value, source), meter(claim.confidence));
  const text = evidenceText(claim.evidence);
  if (text) row.append(text);
  if (claim.evidence && claim.evidence.box) {
    row.tabIndex = 0;
    const show = () => board.highlight(claim.evidence.content_sha256, claim.evidence.box);
    ["mouseenter", "focus"].forEach((name) => row.addEventListener(name, show));
    ["mouseleave", "blur"].forEach((name) => row.addEventListener(name, () => board.highlight(null)));
  }
  return row;
};

const corrector = (product, attribute, label, value, redraw) => {
  const place = make("span", "corrector");
  const closed = () => place.replaceChildren(button("quiet-button", word("correct"), opened, { "aria-label": `${word("correct")}: ${label}` }));
  const opened = async () => {
    try {
      const picker = await valuePicker(attribute, value);
      const form = make("form", "correct-form", picker, make("button", "primary", word("save")), button("quiet-button", word("cancel"), closed));
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        if (!picker.value) return;
        try {
          await save(product.card.product_id, attribute, picker.value);
          notify(word("saved"), "good");
          redraw();
        } catch (error) {
          complain(error);
        }
      });
      place.replaceChildren(form);
      picker.focus();
    } catch (error) {
      complain(error);
    }
  };
  closed();
  return place;
};

// A line to say what nobody has said yet: the attribute first, then its value.
const adder = (product, correctable, claimed, redraw) => {
  const line = make("div", "claim-head adder");
  const select = make("select");
  select.setAttribute("aria-label", word("addFact"));
  select.add(new Option(word("addFact"), ""));
  Object.entries(correctable).filter(([attribute]) => !claimed.has(attribute)).forEach(([attribute, one]) => select.add(new Option(named(one.label), attribute)));
  select.addEventListener("change", () => {
    line.replaceChildren(select);
    if (!select.value) return;
    const form = corrector(product, select.value, named(correctable[select.value].label), "", redraw);
    line.append(form);
    form.querySelector("button").click();
  });
  line.append(select);
  product.corrections.filter((one) => !claimed.has(one.attribute)).forEach((one) => {
    line.append(make("span", "status good", `${named(correctable[one.attribute].label)} → ${named(one.name)}`));
  });
  return line;
};

const claims = (product, board, correctable, redraw) => {
  const list = make("div", "claims");
  const byAttribute = new Map();
  product.claims.forEach((claim) => {
    if (!byAttribute.has(claim.attribute)) byAttribute.set(claim.attribute, []);
    byAttribute.get(claim.attribute).push(claim);
  });
  byAttribute.forEach((rows, attribute) => {
    const label = named(rows[0].label);
    const head = make("div", "claim-head", make("h3", "", label));
    const chosen = rows.find((claim) => claim.is_chosen);
    const pending = product.corrections.filter((one) => one.attribute === attribute).pop();
    if (pending) head.append(make("span", "status good", `→ ${named(pending.name)}`));
    if (correctable[attribute]) head.append(corrector(product, attribute, label, chosen ? chosen.value : "", redraw));
    const group = make("ul", "", ...rows.map((claim) => claimRow(claim, board)));
    list.append(make("div", "claim-group", head, group));
  });
  list.append(adder(product, correctable, byAttribute, redraw));
  return list;
};

// --- other parts ---------------------------------------------------------------------------------------------------
const palette = (seen) => {
  const colors = seen.colors || [];
  if (!colors.length) return null;
  const bar = make("div", "color-bar");
  const list = make("ul", "swatches");
  colors.forEach((color) => {
    if (!/^#[0-9a-f]{6}$/i.test(color.hex || "")) return;
    const part = make("span");
    part.style.background = color.hex;
    part.style.flexGrow = color.share;
    bar.append(part);
    list.append(make("li", "", dot(color.hex), make("span", "", named({ en: color.name, zh: color.name_zh })), make("span", "quiet", color.hex), make("span", "score", percent(color.share))));
  });
  return section(word("palette"), bar, list);
};

const textLines = (pictures) => {
  const lines = pictures.flatMap((one) => ((one.seen && one.seen.text_lines) || []).map((line) => line));
  if (!lines.length) return null;
  const list = make("ul", "text-lines");
  lines.slice(0, 60).forEach((line) => {
    const text = make("span", "", line.text);
    text.dir = "auto";
    list.append(make("li", "", text, make("span", "score", percent(line.confidence))));
  });
  return section(word("text"), list);
};

const facts = (product) => {
  const list = make("dl", "facts");
  const add = (label, value) => {
    if (value) list.append(make("div", "", make("dt", "", label), make("dd", "", value)));
  };
  add(word("identifier"), product.card.product_id);
  add(word("brand"), product.card.brand);
  add(word("barcode"), product.barcodes.join(", "));
  add(word("qualityOf"), product.card.quality_score === null ? "" : percent(product.card.quality_score));
  add(word("feedCategory"), product.feed_category);
  add(word("description"), product.feed_description);
  return section(word("feed"), list);
};

const conflicts = (product) => {
  if (!product.conflicts.length) return null;
  const list = make("ul", "conflicts");
  product.conflicts.forEach((one) => {
    const source = (name) => word("source")[name] || name;
    const side = (value, who, how) => make("span", "", make("b", "", value), ` (${source(who)}, ${sure(how)})`);
    list.append(make("li", "", side(named(one.name), one.source, one.confidence), " ↔ ", side(named(one.other_name), one.other_source, one.other_confidence)));
  });
  return section(word("conflict"), list);
};

const similarStrip = (product) => {
  const strip = make("div", "similar grid");
  const part = section(word("similar"), strip);
  part.classList.add("wide");
  ask(servicePath(product.card.product_id, "/similar?limit=12")).then((answer) => {
    if (!answer.items.length) part.remove();
    strip.append(...answer.items.map((one) => card(one)));
  }).catch(complain);
  return part;
};

const twins = (product) => {
  if (!product.twins.length) return null;
  const list = make("ul", "twins");
  new Set(product.twins.map((one) => one.product_id)).forEach((id) => {
    const link = make("a", "", id);
    link.href = productPath(id);
    list.append(make("li", "", link));
  });
  return section(word("twins"), list);
};

export const showProduct = async (main, id, resultsHash) => {
  main.setAttribute("aria-busy", "true");
  let product, correctable;
  try {
    [product, correctable] = await Promise.all([ask(servicePath(id)), vocabulary()]);
  } catch (error) {
    main.replaceChildren(make("p", "empty", error.message));
    return;
  } finally {
    main.removeAttribute("aria-busy");
  }
  const redraw = () => showProduct(main, id, resultsHash);
  const one = product.card;
  const board = stage(product);
  const back = make("a", "back", `← ${word("back")}`);
  back.href = resultsHash;
  const title = make("h1", "", titleOf(one));
  title.dir = "auto";
  title.tabIndex = -1;
  const path = named(product.category_path) || word("notSure");
  const generated = make("p", "generated", named(one.name));
  const other = otherNamed(one.name);
  if (other && other !== named(one.name)) generated.append(make("span", "quiet", ` ${other}`));
  const flags = make("p", "flags", make("span", one.is_publishable ? "status good" : "status warn", word(one.is_publishable ? "publishable" : "notPublishable")));
  if (one.needs_review) flags.append(make("span", "status warn", word("needsReview")));
  const head = make("header", "product-head", title, make("p", "path", path), generated, make("p", "price", money(one)), flags);
  const description = named(product.description);
  const main_seen = (product.pictures.find((each) => each.image === one.image && each.seen) || product.pictures.find((each) => each.seen) || {}).seen;
  const side = make("div", "product-side", head, description ? make("p", "description", description) : null,
    conflicts(product), section(word("attributes"), claims(product, board, correctable, redraw)),
    main_seen ? palette(main_seen) : null, textLines(product.pictures), twins(product), facts(product));
  main.replaceChildren(make("article", "product", back, make("div", "product-columns", board.element, side), similarStrip(product)));
  document.title = `${titleOf(one)} · Vitrine`;
  title.focus({ preventScroll: true });
};
