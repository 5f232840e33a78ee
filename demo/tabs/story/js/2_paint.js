// Canvases: a picture of large pixels with paper, frame and veils over it; bars of a distribution.

const colour = name => getComputedStyle(element.querySelector(".story")).getPropertyValue(name).trim();

function paper(pen, step, line = colour("--line")) {  // what is not drawn yet
  const tile = document.createElement("canvas"), brush = tile.getContext("2d");
  tile.width = tile.height = step;
  brush.fillStyle = colour("--sheet");
  brush.fillRect(0, 0, step, step);
  brush.strokeStyle = line;
  brush.lineWidth = Math.max(1, step / 9);
  for (const x of [-step, 0, step]) { brush.moveTo(x, step); brush.lineTo(x + step, 0); }
  brush.stroke();
  return pen.createPattern(tile, "repeat");
}

// view: pixels (RGB), size; drawn: so many pixels in raster order; frame [row, column]; veil(k) -> colour or null over
// pixel k; crop {top, left, side}; over(pen, zoom): whatever else; grey: only this channel is shown
function paint(canvas, view) {
  const {size, pixels, drawn = size * size, frame, veil, over} = view, crop = view.crop ?? {top: 0, left: 0, side: size};
  const wide = canvas.clientWidth || Number(canvas.dataset.side) || 60, ratio = window.devicePixelRatio || 1;
  const zoom = Math.max(1, Math.ceil(wide * ratio / crop.side)), pen = canvas.getContext("2d");
  canvas.width = canvas.height = zoom * crop.side;
  let blank;
  for (let row = 0; row < crop.side; row++) for (let column = 0; column < crop.side; column++) {
    const k = (row + crop.top) * size + column + crop.left, box = [column * zoom, row * zoom, zoom, zoom];
    if (k >= drawn) pen.fillStyle = blank ??= paper(pen, Math.max(6, Math.round(8 * ratio)));
    else pen.fillStyle = `rgb(${[0, 1, 2].map(c => view.only === undefined || view.only === c ? pixels[3 * k + c] : 0)})`;
    pen.fillRect(...box);
    const shade = veil?.(k);
    if (shade) { pen.fillStyle = shade; pen.fillRect(...box); }
  }
  over?.(pen, zoom, crop, ratio);
  if (frame) ring(pen, (frame[0] - crop.top) * zoom, (frame[1] - crop.left) * zoom, zoom, ratio, view.ink);
}

function ring(pen, y, x, zoom, ratio, stroke = colour("--now")) {
  const edge = Math.min(4 * ratio, Math.max(2.5 * ratio, zoom / 6)), inset = edge / 2 + ratio, {width, height} = pen.canvas;
  const [left, top] = [x, y].map(at => Math.max(inset, at - edge / 2));  // at the picture's rim it keeps inside
  const right = Math.min(width - inset, x + zoom + edge / 2), bottom = Math.min(height - inset, y + zoom + edge / 2);
  for (const [ink, thick] of [["#fff", edge + 2 * ratio], [stroke, edge]]) {
    pen.strokeStyle = ink;
    pen.lineWidth = thick;
    pen.strokeRect(left, top, right - left, bottom - top);
  }
}

// A sheet of `high` CSS pixels as wide as its column, and a pen whose unit is a CSS pixel.
function sheet(canvas, high) {
  const ratio = window.devicePixelRatio || 1, wide = canvas.clientWidth || 300;
  [canvas.width, canvas.height] = [Math.round(wide * ratio), Math.round(high * ratio)];
  canvas.style.height = high + "px";
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.font = "12px system-ui, sans-serif";
  return [pen, wide];
}

const crisp = x => Math.round(x * (window.devicePixelRatio || 1)) / (window.devicePixelRatio || 1);  // whole device pixels

// Bars of 256 shades, `tall(level)` from 0 to 1; `marks`: [{level, ink, word}]; `band`: [from, to] behind the bars.
function bars(canvas, {tall = () => 0, marks = [], band, channel, high = 74, grown = 1, name = ""}) {
  const [pen, wide] = sheet(canvas, high), step = wide / 256, base = high - 12, room = base - 16;
  pen.fillStyle = colour("--ground");
  pen.fillRect(0, 0, wide, base);
  if (band) {
    pen.fillStyle = colour("--band");
    pen.fillRect(band[0] * step, 0, (band[1] - band[0] + 1) * step, base);
  }
  pen.fillStyle = colour("--known");
  for (let level = 0; level < 256; level++) {
    const top = tall(level) * room * grown, left = crisp(level * step);
    if (top > 0.2) pen.fillRect(left, base - top, crisp((level + 1) * step) - left, top);
  }
  for (let level = 0; level < 256; level++) {
    pen.fillStyle = `rgb(${[0, 1, 2].map(c => c === channel ? level : 0)})`;
    pen.fillRect(crisp(level * step), base + 2, crisp((level + 1) * step) - crisp(level * step), 8);
  }
  for (const {level, ink, word} of marks) {
    const x = (level + 0.5) * step, late = x > wide * 0.6;
    pen.fillStyle = ink;
    pen.fillRect(x - 1, 4, 2, base - 4);
    pen.beginPath();
    pen.moveTo(x, base + 1);
    pen.lineTo(x - 5, high);
    pen.lineTo(x + 5, high);
    pen.fill();
    if (word) {
      pen.textAlign = late ? "right" : "left";
      pen.fillText(word, x + (late ? -6 : 6), 13);
    }
  }
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", name);
}
