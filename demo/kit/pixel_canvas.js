// A picture of real pixels that can be clicked or painted; `demo/pixel_canvas.py` says how it is used.
// Gradio runs this once per component, with `element`, `props`, `trigger` and `watch`.

const canvas = element.querySelector("canvas"), pen = canvas.getContext("2d"), said = element.querySelector("output");
const small = document.createElement("canvas"), smallPen = small.getContext("2d");
const painting = props.mode === "paint";
const tool = {erase: false, size: 3};
let height = 0, width = 0, rgb, mask, drawn, cursor, zoom = 1;

function read() {
  const value = props.value;
  if (!value || !value.pixels) return;
  if (height !== value.height || width !== value.width) cursor = null;
  [height, width] = [value.height, value.width];
  rgb = Uint8Array.from(atob(value.pixels), letter => letter.charCodeAt(0));
  mask = Uint8Array.from({length: height * width}, (_, k) => value.mask && value.mask[k] === "1" ? 1 : 0);
  drawn = value.drawn ?? height * width;
  cursor = value.outline ?? cursor ?? [height >> 1, width >> 1];
  const image = new ImageData(width, height);
  for (let k = 0; k < height * width; k++) {
    image.data.set(rgb.subarray(3 * k, 3 * k + 3), 4 * k);
    image.data[4 * k + 3] = 255;
  }
  [small.width, small.height] = [width, height];
  smallPen.putImageData(image, 0, 0);
  fit();
}

function fit() {  // every pixel becomes a whole number of the screen's own pixels
  if (!width || !element.clientWidth) return;
  const ratio = window.devicePixelRatio || 1;
  zoom = Math.max(1, Math.floor(Math.min(element.clientWidth, canvas.dataset.side) * ratio / width));
  [canvas.width, canvas.height] = [width * zoom, height * zoom];
  canvas.style.width = canvas.width / ratio + "px";
  canvas.style.height = canvas.height / ratio + "px";
  draw();
}

function hatch() {  // what paper looks like where nothing is drawn
  const tile = document.createElement("canvas"), line = tile.getContext("2d"), style = getComputedStyle(element);
  tile.width = tile.height = 8;
  line.fillStyle = style.getPropertyValue("--background-fill-primary") || "#fff";
  line.fillRect(0, 0, 8, 8);
  line.strokeStyle = style.getPropertyValue("--body-text-color-subdued");
  line.globalAlpha = 0.45;
  for (const x of [-8, 0, 8]) { line.moveTo(x, 8); line.lineTo(x + 8, 0); }
  line.stroke();
  return pen.createPattern(tile, "repeat");
}

function frame([row, column], side, dashed) {
  const y = (row - (side >> 1)) * zoom, x = (column - (side >> 1)) * zoom, edge = Math.max(3, zoom / 5);
  for (const [colour, thick] of [["#fff", edge + 3], [getComputedStyle(element).getPropertyValue("--now"), edge]]) {
    pen.setLineDash(dashed ? [edge * 2, edge] : []);
    pen.strokeStyle = colour;
    pen.lineWidth = thick;
    pen.strokeRect(x - edge / 2, y - edge / 2, side * zoom + edge, side * zoom + edge);
  }
}

function draw() {
  if (!width) return;
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, 0, 0, canvas.width, canvas.height);
  pen.fillStyle = hatch();
  for (let k = 0; k < height * width; k++)
    if (mask[k] || k >= drawn) pen.fillRect(k % width * zoom, Math.floor(k / width) * zoom, zoom, zoom);
  const outline = props.value.outline;
  if (drawn < height * width) frame([Math.floor(drawn / width), drawn % width], 1);
  else if (outline) frame(outline, 1);
  if (painting && document.activeElement === canvas) frame(cursor, tool.size, true);
}

function describe([row, column]) {
  const k = row * width + column, [r, g, b] = rgb.subarray(3 * k, 3 * k + 3), value = props.value;
  const colour = k >= drawn ? "not drawn yet" : mask[k] ? "brushed away" : `R ${r}  G ${g}  B ${b}`;
  const reading = value.readings && k < drawn ? ` · ${value.readings[k]} ${value.unit}` : "";
  said.textContent = `row ${row}, column ${column} · ${colour}${reading}`;
}

function under(event) {
  const box = canvas.getBoundingClientRect();
  const row = Math.floor((event.clientY - box.top) / box.height * height);
  const column = Math.floor((event.clientX - box.left) / box.width * width);
  return [Math.min(Math.max(row, 0), height - 1), Math.min(Math.max(column, 0), width - 1)];
}

function pick(place, clicked = true) {  // other scripts hear of it through the event "pixel"
  cursor = place;
  props.value = {...props.value, outline: place};
  canvas.dispatchEvent(new CustomEvent("pixel", {bubbles: true, detail: {place, clicked}}));
  draw();
  describe(place);
  trigger("input");
}

function stamp([row, column], erase) {
  const first = -(tool.size >> 1);
  for (let y = row + first; y < row + first + tool.size; y++)
    for (let x = column + first; x < column + first + tool.size; x++)
      if (y >= 0 && y < height && x >= 0 && x < width) mask[y * width + x] = erase ? 0 : 1;
}

function stroke(from, to, erase) {  // no gaps, however fast the hand is
  const steps = Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]), 1);
  for (let k = 0; k <= steps; k++)
    stamp([0, 1].map(axis => Math.round(from[axis] + (to[axis] - from[axis]) * k / steps)), erase);
}

function commit() {
  const painted = mask.join("");
  if (painted === props.value.mask) return;
  props.value = {...props.value, mask: painted};
  draw();
  trigger("input");
}

if (!painting) canvas.addEventListener("click", event => width && pick(under(event)));  // not where a finger scrolls
let held = false;
canvas.addEventListener("pointerdown", event => {
  if (!width || event.button) return;
  canvas.focus({preventScroll: true});
  if (!painting) return;
  const place = under(event);
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  held = true;
  cursor = place;
  stamp(place, tool.erase);
  draw();
});
canvas.addEventListener("pointermove", event => {
  if (!width) return;
  const place = under(event);
  if (held) {
    stroke(cursor, place, tool.erase);
    cursor = place;
    draw();
  }
  describe(place);
});
for (const end of ["pointerup", "pointercancel"])
  canvas.addEventListener(end, () => { if (held) { held = false; commit(); } });
canvas.addEventListener("focus", draw);
canvas.addEventListener("blur", draw);

const MOVES = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
canvas.addEventListener("keydown", event => {
  const move = MOVES[event.key], act = event.key === "Enter" || event.key === " ";
  const wipe = painting && (event.key === "Delete" || event.key === "Backspace");
  if (!width || event.ctrlKey || event.metaKey || event.altKey || !(move || act || wipe)) return;
  event.preventDefault();
  if (move) {
    const last = cursor;
    cursor = [Math.min(Math.max(cursor[0] + move[0], 0), height - 1),
              Math.min(Math.max(cursor[1] + move[1], 0), width - 1)];
    if (painting && event.shiftKey) { stroke(last, cursor, tool.erase); commit(); }
    draw();
    if (!painting) frame(cursor, 1, true);
    describe(cursor);
  } else if (painting) {
    stamp(cursor, wipe || tool.erase);
    commit();
  } else pick(cursor);
});

element.addEventListener("click", event => {
  const button = event.target.closest("button");
  if (!button || !width) return;
  if (button.dataset.tool === "clear") { mask.fill(0); commit(); return; }
  tool.erase = button.dataset.tool === "erase";
  for (const one of element.querySelectorAll("button[aria-pressed]"))
    one.setAttribute("aria-pressed", one === button);
});
const size = element.querySelector("input[type=range]");
if (size) size.addEventListener("input", () => {
  tool.size = Number(size.value);
  size.nextElementSibling.textContent = tool.size;
});

// Other scripts may show the picture as it was after so many pixels, and choose one: see `trace_panel.js`.
canvas.addEventListener("reveal", event => { drawn = event.detail ?? height * width; draw(); });
canvas.addEventListener("settle", event => pick(event.detail, false));
new ResizeObserver(fit).observe(element);
new MutationObserver(draw).observe(document.body, {attributeFilter: ["class"]});  // light and dark
watch("value", read);
read();
