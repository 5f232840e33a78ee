// A mosaic to paint, one colour per cell; `mosaic.py` says how it is used.
// Gradio runs this once per component, with `element`, `props`, `trigger` and `watch`.

const canvas = element.querySelector("canvas"), pen = canvas.getContext("2d"), said = element.querySelector("output");
const swatches = element.querySelector(".swatches");
let side = 0, rgb, palette = [], chosen = 0, cursor = [0, 0], painting = false, zoom = 1;

// "#c08040" -> "brown": for those who do not see it
function nameOf(colour) {
  const [r, g, b] = [1, 3, 5].map(k => parseInt(colour.slice(k, k + 2), 16));
  const most = Math.max(r, g, b), least = Math.min(r, g, b), light = (most + least) / 2, strong = most - least;
  const shade = light < 85 ? "dark " : light > 170 ? "light " : "";
  if (light < 25) return "black";
  if (light > 235) return "white";
  if (strong < 30) return shade + "grey";
  const turn = most === r ? (g - b) / strong + 6 : most === g ? (b - r) / strong + 2 : (r - g) / strong + 4;
  const hues = ["red", "orange", "yellow", "green", "green", "green", "cyan", "blue", "blue", "purple", "pink", "pink"];
  const hue = hues[Math.round(turn * 2) % 12];
  return hue === "orange" && light < 150 ? shade + "brown" : shade + hue;
}

function read() {
  const value = props.value;
  if (!value || !value.pixels) return;
  side = value.height;
  rgb = Uint8Array.from(atob(value.pixels), letter => letter.charCodeAt(0));
  palette = value.palette || [];
  chosen = Math.min(chosen, palette.length - 1);
  cursor = cursor.map(place => Math.min(place, side - 1));
  swatches.replaceChildren(...palette.map((colour, k) => {
    const button = document.createElement("button");
    button.type = "button";
    button.style.background = colour;
    button.setAttribute("aria-label", `Colour ${k + 1}: ${nameOf(colour)}`);
    button.setAttribute("aria-pressed", k === chosen);
    button.onclick = () => choose(k);
    return button;
  }));
  draw();
}

function choose(number) {
  chosen = number;
  [...swatches.children].forEach((button, k) => button.setAttribute("aria-pressed", k === chosen));
}

function draw() {
  if (!side || !element.clientWidth) return;
  const ratio = window.devicePixelRatio || 1;
  zoom = Math.max(1, Math.floor(Math.min(element.clientWidth, canvas.dataset.side) * ratio / side));
  canvas.width = canvas.height = side * zoom;
  canvas.style.width = canvas.style.height = canvas.width / ratio + "px";
  for (let k = 0; k < side * side; k++) {
    pen.fillStyle = `rgb(${rgb[3 * k]} ${rgb[3 * k + 1]} ${rgb[3 * k + 2]})`;
    pen.fillRect(k % side * zoom, Math.floor(k / side) * zoom, zoom, zoom);
  }
  if (document.activeElement !== canvas) return;
  for (const [colour, thick] of [["#fff", 5], [getComputedStyle(element).getPropertyValue("--now"), 3]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = thick;
    pen.strokeRect(cursor[1] * zoom + 3, cursor[0] * zoom + 3, zoom - 6, zoom - 6);
  }
}

function paint([row, column]) {
  const colour = palette[chosen];
  if (!colour) return;
  const place = 3 * (row * side + column), values = [1, 3, 5].map(k => parseInt(colour.slice(k, k + 2), 16));
  if (values.every((value, k) => rgb[place + k] === value)) return;
  rgb.set(values, place);
  const swatch = document.createElement("i");
  swatch.style.background = colour;
  said.replaceChildren(`Row ${row + 1}, column ${column + 1} is painted ${nameOf(colour)} `, swatch);
  draw();
}

function send() {
  props.value = {...props.value, pixels: btoa(String.fromCharCode(...rgb))};
  trigger("input");
}

function cell(event) {
  const box = canvas.getBoundingClientRect();
  const place = [event.clientY - box.top, event.clientX - box.left].map(value => Math.floor(value / box.width * side));
  return place.every(value => value >= 0 && value < side) ? place : null;
}

canvas.addEventListener("pointerdown", event => {
  if (!cell(event)) return;
  painting = true;
  canvas.setPointerCapture(event.pointerId);
  cursor = cell(event);
  paint(cursor);
  event.preventDefault();
  canvas.focus();
});
canvas.addEventListener("pointermove", event => { if (painting && cell(event)) paint(cursor = cell(event)); });
for (const name of ["pointerup", "pointercancel"])
  canvas.addEventListener(name, () => { if (painting) { painting = false; send(); } });
canvas.addEventListener("keydown", event => {
  const moves = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}, move = moves[event.key];
  if (move) {
    cursor = cursor.map((place, k) => Math.max(0, Math.min(side - 1, place + move[k])));
    said.textContent = `Row ${cursor[0] + 1}, column ${cursor[1] + 1}`;
  }
  if (event.key === "Enter" || event.key === " " || (move && event.shiftKey)) { paint(cursor); send(); }
  else if (!move) return;
  window.runs?.say?.(said.textContent);  // not for a pointer, which passes over many
  draw();
  event.preventDefault();
});
for (const name of ["focus", "blur"]) canvas.addEventListener(name, draw);
new ResizeObserver(draw).observe(element);
watch("value", read);
read();
