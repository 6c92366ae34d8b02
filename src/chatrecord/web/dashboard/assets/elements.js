// Elements from names, attributes and children. Text stays text: nothing is parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

export function h(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Part of a box, in percent. Styles are set by script, since the page allows none in its markup.
export function placed(element, left, width) {
  element.style.left = `${left}%`;
  element.style.width = `${width}%`;
  return element;
}

// The name of a column, for people.
export function heading(name) {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function badge(status) {
  return h("span", { class: `badge ${status}` }, status.replaceAll("_", " "));
}

export function problem(error, retry) {
  return h("div", { class: "problem", role: "alert" },
    h("p", {}, error.message),
    retry && h("button", { type: "button", onclick: retry }, "Try again"));
}

export function option(value, label, chosen) {
  return h("option", { value, selected: String(value) === String(chosen) }, label);
}

export function select(name, label, options, chosen, onchange) {
  return h("label", { class: "field" }, h("span", {}, label),
    h("select", { name, onchange: (event) => onchange(event.target.value) },
      options.map(([value, shown]) => option(value, shown, chosen))));
}
