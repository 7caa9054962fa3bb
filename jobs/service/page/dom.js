// Small helpers. Everything that comes from the tables goes into the page as text, never as HTML.

import { named, percent, word } from "./words.js";

export const byId = (id) => document.getElementById(id);

export const make = (tag, className, ...children) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
};

export const button = (className, label, onClick, attributes = {}) => {
  const element = make("button", className, label);
  element.type = "button";
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  element.addEventListener("click", onClick);
  return element;
};

const SVG = "http://www.w3.org/2000/svg";
export const shape = (tag, attributes, ...children) => {
  const element = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  element.append(...children);
  return element;
};

export class ServiceError extends Error {}

// One request to the service; a problem detail becomes an error with its words.
export const ask = async (path, options = {}) => {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServiceError(error.message);
  }
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new ServiceError(body.detail || answer.statusText);
  return body;
};

let noticeTimer = 0;
export const notify = (text, kind = "bad") => {
  const notice = byId("notice");
  notice.textContent = text;
  notice.className = kind;
  notice.hidden = !text;
  clearTimeout(noticeTimer);
  if (text) noticeTimer = setTimeout(() => { notice.hidden = true; }, kind === "bad" ? 9000 : 4000);
};

export const complain = (error) => {
  if (error.name !== "AbortError") notify(`${word("failed")}: ${error.message}`);
};

export const picture = (path, side, alt, eager = false) => {
  const frame = make("span", "frame");
  const missing = () => frame.replaceChildren(make("span", "no-picture", word("noPicture")));
  if (!path) {
    missing();
    return frame;
  }
  const image = make("img");
  image.alt = alt;
  image.decoding = "async";
  image.loading = eager ? "eager" : "lazy";
  image.addEventListener("error", missing);
  image.src = `${path}?side=${side}`;
  frame.append(image);
  return frame;
};

export const dot = (hex) => {
  const element = make("span", "dot");
  if (/^#[0-9a-f]{6}$/i.test(hex || "")) element.style.background = hex;
  return element;
};

export const meter = (share) => {
  const fill = make("span");
  fill.style.width = `${Math.max(0, Math.min(1, share || 0)) * 100}%`;
  return make("span", "meter", fill);
};

export const titleOf = (card) => card.title || named(card.name) || card.product_id;
export const productPath = (id) => `#/product/${encodeURIComponent(id)}`;
export const servicePath = (id, rest = "") => `/products/${encodeURIComponent(id)}${rest}`;
export const sure = (share) => word("sureOf")(percent(share));
