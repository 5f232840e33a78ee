// A picture of real pixels that can be clicked, brushed or painted; `pixel_canvas.py` says how it is used.
// Gradio runs this once per component, with `element`, `props`, `trigger` and `watch`.

const canvas = element.querySelector("canvas"), pen = canvas.getContext("2d"), said = element.querySelector("output");
const MODE = canvas.dataset.mode;
const small = document.createElement("canvas"), smallPen = small.getContext("2d");
const tool = {erase: false, size: 3, colour: ""};
let height = 0, width = 0, rgb, mask, drawn, cursor, zoom = 1, layer = null, pointed = null, marked = null, peek = null;

const caption = element.querySelector(".caption");
const there = name => !name || name === "mask" || name in (props.value?.layers || {});
const unpack = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
const brushing = () => MODE === "brush" && props.value?.brush !== false;

function read() {
  const value = props.value;
  if (!value || !value.pixels) return;
  if (height !== value.height || width !== value.width) cursor = null;
  [height, width] = [value.height, value.width];
  rgb = unpack(value.pixels);
  mask = Uint8Array.from({length: height * width}, (_, k) => value.mask && value.mask[k] === "1" ? 1 : 0);
  drawn = value.drawn ?? height * width;
  cursor = value.outline ?? cursor ?? [height >> 1, width >> 1];
  layer ??= value.layer || "";
  peek = null;
  caption.textContent = value.caption || "";
  caption.hidden = !value.caption;
  for (const one of element.querySelectorAll("[data-layer]"))
    one.disabled = !there(one.dataset.layer);
  press(".layers", element.querySelector(`[data-layer="${there(layer) ? layer : ""}"]`));
  element.querySelector(".brushes")?.toggleAttribute("hidden", value.brush === false);
  paper();
}

function paper() {  // the layer that is shown, one canvas pixel for each
  const shown = layer && props.value.layers?.[layer] ? unpack(props.value.layers[layer]) : rgb;
  const image = new ImageData(width, height);
  for (let k = 0; k < height * width; k++) {
    image.data.set(shown.subarray(3 * k, 3 * k + 3), 4 * k);
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
  describe(pointed ?? framed());
}

// The pixel in the frame: the value's own; in a canvas to click in, otherwise the one that came along from another tab,
// or the one that the picture opens with.
function framed() {
  const at = props.value?.outline ?? (MODE === "click" ? window.pixelAt ?? props.value?.opening ?? null : null);
  return at && at[0] < height && at[1] < width ? at : null;
}

const look = name => getComputedStyle(element).getPropertyValue(name);

function hatch() {  // what paper looks like where nothing is drawn
  const tile = document.createElement("canvas"), line = tile.getContext("2d");
  tile.width = tile.height = 8;
  line.fillStyle = look("--background-fill-primary") || "#fff";
  line.fillRect(0, 0, 8, 8);
  line.strokeStyle = look("--body-text-color-subdued");
  line.globalAlpha = 0.45;
  for (const x of [-8, 0, 8]) { line.moveTo(x, 8); line.lineTo(x + 8, 0); }
  line.stroke();
  return pen.createPattern(tile, "repeat");
}

function frame([row, column], side, dashed) {
  const y = (row - (side >> 1)) * zoom, x = (column - (side >> 1)) * zoom, edge = Math.max(3, zoom / 5);
  for (const [colour, thick] of [["#fff", edge + 3], [look("--now"), edge]]) {
    pen.setLineDash(dashed ? [edge * 2, edge] : []);
    pen.strokeStyle = colour;
    pen.lineWidth = thick;
    pen.strokeRect(x - edge / 2, y - edge / 2, side * zoom + edge, side * zoom + edge);
  }
  pen.setLineDash([]);
}

function kernelOn([row, column]) {  // the masked convolution: blue is read, crossed out is masked
  const reach = canvas.dataset.kernel >> 1;
  for (let dy = -reach; dy <= reach; dy++)
    for (let dx = -reach; dx <= reach; dx++) {
      const x = (column + dx) * zoom, y = (row + dy) * zoom, past = dy < 0 || dy === 0 && dx < 0;
      if (row + dy < 0 || row + dy >= height || column + dx < 0 || column + dx >= width || !dy && !dx) continue;
      pen.globalAlpha = past ? 0.6 : 0.75;
      pen.fillStyle = past ? "#3f86c4" : look("--background-fill-primary") || "#fff";
      pen.fillRect(x, y, zoom, zoom);
      pen.globalAlpha = 1;
      pen.strokeStyle = past ? "#fff" : "#8a8377";
      pen.lineWidth = Math.max(1, zoom / 12);
      pen.strokeRect(x + 0.5, y + 0.5, zoom - 1, zoom - 1);
      if (past) continue;
      pen.beginPath();
      pen.moveTo(x + zoom / 4, y + zoom / 4); pen.lineTo(x + 3 * zoom / 4, y + 3 * zoom / 4);
      pen.moveTo(x + 3 * zoom / 4, y + zoom / 4); pen.lineTo(x + zoom / 4, y + 3 * zoom / 4);
      pen.stroke();
    }
}

function draw() {
  if (!width) return;
  pen.imageSmoothingEnabled = false;
  pen.drawImage(peek || small, 0, 0, canvas.width, canvas.height);
  pen.fillStyle = hatch();
  for (let k = 0; !peek && k < height * width; k++)
    if (mask[k] && brushing() || k >= drawn) pen.fillRect(k % width * zoom, Math.floor(k / width) * zoom, zoom, zoom);
  const outline = framed(), focused = document.activeElement === canvas;
  const next = drawn < height * width ? [Math.floor(drawn / width), drawn % width] : outline;
  if (layer === "mask") {
    const place = pointed ?? marked ?? next ?? cursor;
    kernelOn(place);
    frame(place, 1);
    return;
  }
  if (next) frame(next, 1);
  const other = pointed ?? marked;
  if (other && !brushing() && String(other) !== String(next)) frame(other, 1, true);
  if (brushing() && focused) frame(cursor, tool.size, true);
  else if (focused && !pointed && String(cursor) !== String(next)) frame(cursor, 1, true);
}

function sentence(place) {
  if (!place) {
    if (MODE === "brush" && !brushing()) return "";
    if (!brushing()) return "point at a pixel, or click one";
    const missing = mask.reduce((sum, one) => sum + one, 0);
    return missing ? `${missing} of ${height * width} pixels are brushed away` : "nothing is brushed away";
  }
  const [row, column] = place, k = row * width + column, [r, g, b] = rgb.subarray(3 * k, 3 * k + 3);
  const gone = mask[k] && brushing();
  const colour = k >= drawn ? "not drawn yet" : gone ? "brushed away" : `R ${r}  G ${g}  B ${b}`;
  const reading = props.value.readings && k < drawn ? ` · ${props.value.readings[k]} ${props.value.unit}` : "";
  return `row ${row}, column ${column} · ${colour}${reading}`;
}

// A pointer that passes over changes the words below; they are read out only for keys and clicks.
function describe(place, aloud = false) {
  said.textContent = sentence(place);
  if (aloud) window.runs?.say?.(said.textContent);
}

function under(event) {
  const box = canvas.getBoundingClientRect();
  const row = Math.floor((event.clientY - box.top) / box.height * height);
  const column = Math.floor((event.clientX - box.left) / box.width * width);
  return [Math.min(Math.max(row, 0), height - 1), Math.min(Math.max(column, 0), width - 1)];
}

function tell(name, detail) { canvas.dispatchEvent(new CustomEvent(name, {bubbles: true, detail})); }

function mark(place) {  // in the linked canvas too
  if (canvas.dataset.linked) document.querySelector(`#${canvas.dataset.linked} canvas`)?.dispatchEvent(
    new CustomEvent("mark", {detail: place}));
}

function pick(place, clicked = true) {  // other scripts hear of it through the event "pixel"
  cursor = place;
  const paint = clicked && tool.colour ? {place, colour: tool.colour} : null;
  props.value = {...props.value, outline: place, paint};
  if (paint) {  // shown at once; the server draws what follows
    const k = place[0] * width + place[1];
    smallPen.fillStyle = tool.colour;
    smallPen.fillRect(place[1], place[0], 1, 1);
    drawn = k + 1;
  }
  window.pixelAt = place;
  tell("pixel", {place, clicked});
  draw();
  describe(place, clicked);
  trigger("input");
  if (paint) trigger("submit");
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
  describe(null, true);
  trigger("input");
}

canvas.addEventListener("click", event => {  // not where a finger scrolls
  if (MODE !== "brush" && width) pick(under(event));
});
let held = false;
canvas.addEventListener("pointerdown", event => {
  if (!width || event.button) return;
  canvas.focus({preventScroll: true});
  if (!brushing()) return;
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
  }
  if (!held && String(place) === String(pointed)) return;
  pointed = place;
  draw();
  describe(place);
  mark(place);
  tell("hover", place);
});
canvas.addEventListener("pointerleave", () => {
  pointed = null;
  if (!width) return;
  draw();
  describe(framed());
  mark(null);
  tell("hover", null);
});
for (const end of ["pointerup", "pointercancel"])
  canvas.addEventListener(end, () => { if (held) { held = false; commit(); } });
canvas.addEventListener("focus", draw);
canvas.addEventListener("blur", draw);

const MOVES = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
canvas.addEventListener("keydown", event => {
  const move = MOVES[event.key], act = event.key === "Enter" || event.key === " ";
  const wipe = brushing() && (event.key === "Delete" || event.key === "Backspace");
  if (!width || event.ctrlKey || event.metaKey || event.altKey || !(move || act || wipe)) return;
  event.preventDefault();
  pointed = null;
  if (move) {
    const last = cursor;
    cursor = [Math.min(Math.max(cursor[0] + move[0], 0), height - 1),
              Math.min(Math.max(cursor[1] + move[1], 0), width - 1)];
    if (brushing() && event.shiftKey) { stroke(last, cursor, tool.erase); commit(); }
    draw();
    mark(cursor);
    tell("hover", cursor);
    describe(cursor, true);
  } else if (brushing()) {
    stamp(cursor, wipe || tool.erase);
    commit();
  } else if (MODE !== "brush") pick(cursor);
});

function press(group, button) {
  for (const one of element.querySelectorAll(`${group} [aria-pressed]`))
    one.setAttribute("aria-pressed", one === button);
}
element.addEventListener("click", event => {
  const button = event.target.closest("button");
  if (!button || !width) return;
  if (button.dataset.tool === "clear") { mask.fill(0); commit(); return; }
  if ("tool" in button.dataset) {
    tool.erase = button.dataset.tool === "erase";
    press(".brushes", button);
  } else if ("colour" in button.dataset) {
    tool.colour = button.dataset.colour;
    press(".paints", button);
  } else if ("layer" in button.dataset) {
    layer = button.dataset.layer;
    press(".layers", button);
    paper();
  }
});
const any = element.querySelector("input[type=color]");
for (const kind of any ? ["input", "click"] : []) any.addEventListener(kind, () => {
  tool.colour = any.value;
  press(".paints", null);
});
const size = element.querySelector("input[type=range]");
if (size) size.addEventListener("input", () => {
  tool.size = Number(size.value);
  size.nextElementSibling.textContent = tool.size;
});

// Other scripts may show the picture as it was after so many pixels, choose or mark one, or show another picture.
canvas.addEventListener("reveal", event => { drawn = event.detail ?? height * width; draw(); });
canvas.addEventListener("settle", event => pick(event.detail, false));
canvas.addEventListener("mark", event => {
  marked = event.detail;
  if (!width) return;
  draw();
  describe(marked ?? framed());
});
document.addEventListener("pixel", event => {
  if (event.target === canvas || MODE !== "click" || !width) return;
  if (props.value.outline) props.value = {...props.value, outline: event.detail.place};
  draw();
  describe(framed());
});
canvas.addEventListener("peek", event => { peek = event.detail; draw(); });
new ResizeObserver(fit).observe(element);
new MutationObserver(draw).observe(document.body, {attributeFilter: ["class"]});  // light and dark
watch("value", read);
read();
