// Drawing: elements by name, attributes and children.

function make(name, attributes = {}, ...children) {
  const svg = "svg g rect path text title circle line".split(" ").includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== undefined && value !== null) made.setAttribute(key, value);
  made.append(...children.filter(each => each !== null && each !== undefined).map(each =>
    typeof each === "number" ? String(each) : each));
  return made;
}

function drawing(width, height, label, ...children) {
  return make("svg", {viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label},
    ...children);
}

const LONGEST = 6; // letters of a value that is drawn

// A value as short as its place allows.
function short(value) {
  if (value === undefined || value === null) return "";
  const text = String(value).replace("-", "−");
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}

function plural(number, noun) { return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`; }
