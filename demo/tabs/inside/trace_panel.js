// The distributions of one pixel, and the player; `demo/trace_panel.py` says what the value holds.

const find = selector => element.querySelector(selector);
const play = find("[data-do=play]"), scrub = find("input"), count = find("output"), speed = find("select");
const sections = [...element.querySelectorAll("section")];
const canvas = () => document.querySelector(props.source + " canvas");
let height = 0, width = 0, heights, numbers, place = [0, 0], step = 0, playing = false, latest;

async function read() {
  const value = props.value;
  if (!value || !value.block) return;
  const packed = Uint8Array.from(atob(value.block), letter => letter.charCodeAt(0));
  latest = value;
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const block = await new Response(stream).arrayBuffer();
  if (latest !== value) return;  // another picture came meanwhile
  [height, width] = [value.height, value.width];
  heights = new Uint8Array(block, 0, height * width * 3 * 256);
  numbers = new Float32Array(block, heights.length);
  place = value.place;
  scrub.max = height * width;
  halt();
  go(height * width);
  element.dataset.ready = "true";
}

function shown() {  // while the picture is unfinished: the pixel that is drawn next
  return step < height * width ? [Math.floor(step / width), step % width] : place;
}

function go(to) {
  step = Math.min(Math.max(to, 0), height * width);
  scrub.value = step;
  const [row, column] = shown(), all = step === height * width;
  count.textContent = all ? `all ${step} pixels are drawn` : `${step} pixels drawn; next: row ${row}, column ${column}`;
  canvas()?.dispatchEvent(new CustomEvent("reveal", {detail: all ? null : step}));
  odds();
}

function odds() {
  if (!heights) return;
  const [row, column] = shown(), first = 3 * (row * width + column);
  const values = [0, 1, 2].map(c => numbers[5 * (first + c)]);
  const told = props.value.told ? `, h = ${props.value.told}` : "";
  const given = ["", `, R = ${values[0]}`, `, R = ${values[0]}, G = ${values[1]}`];
  sections.forEach((section, c) => {
    const k = first + c, [value, surprise, entropy, rank, peak] = numbers.subarray(5 * k, 5 * k + 5);
    section.querySelector("h5").textContent = `p( ${"RGB"[c]} | earlier pixels${told}${given[c]} )`;
    section.querySelector("p").innerHTML =
      `<b>${value}</b> drawn · p = ${percent(2 ** -surprise)} · rank <b>${rank}</b> of 256 · ` +
      `surprise <b>${surprise.toFixed(2)}</b> bits · entropy <b>${entropy.toFixed(2)}</b> bits`;
    bars(section.querySelector("canvas"), heights.subarray(256 * k, 256 * k + 256), value, peak, c);
  });
}

function percent(p) {
  return p >= 0.001 ? (100 * p).toFixed(p < 0.1 ? 2 : 1) + " %" : p.toExponential(1);
}

function bars(sheet, tall, value, peak, channel) {
  const ratio = window.devicePixelRatio || 1, pen = sheet.getContext("2d"), style = getComputedStyle(sheet);
  const bar = Math.max(1, Math.floor(element.clientWidth * ratio / 256)), high = Math.round(64 * ratio);
  const ramp = Math.round(8 * ratio), base = high - ramp - Math.round(8 * ratio);
  [sheet.width, sheet.height] = [256 * bar, high];
  sheet.style.width = 256 * bar / ratio + "px";
  sheet.style.height = high / ratio + "px";
  pen.fillStyle = style.getPropertyValue("--hatch");
  pen.fillRect(0, 0, sheet.width, base);
  for (let level = 0; level < 256; level++) {
    const top = Math.round(tall[level] / 255 * (base - 14 * ratio));
    pen.fillStyle = level === value ? style.getPropertyValue("--now") : style.getPropertyValue("--known");
    pen.fillRect(level * bar, base - top, bar, top);
    pen.fillStyle = `rgb(${[0, 1, 2].map(c => c === channel ? level : 0)})`;
    pen.fillRect(level * bar, base + 1, bar, ramp);
  }
  const x = (value + 0.5) * bar, tip = base + 1 + ramp, side = 6 * ratio;
  pen.fillStyle = style.getPropertyValue("--now");
  pen.fillRect(Math.round(x - bar / 2), 0, bar, base);
  pen.beginPath();
  pen.moveTo(x, tip);
  pen.lineTo(x - side, high);
  pen.lineTo(x + side, high);
  pen.fill();
  pen.fillStyle = style.color;
  pen.font = `${11 * ratio}px sans-serif`;
  const left = value > 128;
  pen.textAlign = left ? "left" : "right";
  pen.fillText(`peak ${percent(peak)}`, left ? 4 * ratio : sheet.width - 4 * ratio, 11 * ratio);
  sheet.setAttribute("role", "img");
  sheet.setAttribute("aria-label", `256 bars; ${value} was drawn, the tallest has ${percent(peak)}`);
}

let before = 0, owed = 0, settling;
function frame(now) {
  if (!playing) return;
  owed += Math.min(now - before, 250) / 1000 * speed.value;
  before = now;
  if (owed >= 1) { go(step + Math.floor(owed)); owed %= 1; }
  if (step >= height * width) { halt(); return; }
  requestAnimationFrame(frame);
}

function halt() {
  playing = false;
  play.textContent = "Play";
}

function settle() {  // where the player stands becomes the chosen pixel, for everything else on the page
  clearTimeout(settling);
  if (step < height * width)
    settling = setTimeout(() => canvas()?.dispatchEvent(new CustomEvent("settle", {detail: shown()})), 200);
}

element.addEventListener("click", event => {
  const wanted = event.target.closest("button")?.dataset.do;
  if (!wanted || !heights) return;
  const all = height * width;
  if (wanted === "play" && !playing) {
    if (step === all) go(0);
    playing = true;
    play.textContent = "Pause";
    owed = 0;
    before = performance.now();
    requestAnimationFrame(frame);
    return;
  }
  halt();
  if (wanted === "pixel") go(step === all ? 1 : step + 1);
  if (wanted === "row") go(step === all ? width : (Math.floor(step / width) + 1) * width);
  settle();
});
scrub.addEventListener("input", () => { halt(); go(Number(scrub.value)); settle(); });

document.addEventListener("pixel", event => {  // a pixel of the canvas was chosen
  if (!event.target.closest(props.source)) return;
  place = event.detail.place;
  if (event.detail.clicked) { halt(); go(height * width); }
});
new ResizeObserver(odds).observe(element);
new MutationObserver(odds).observe(document.body, {attributeFilter: ["class"]});
const watcher = new IntersectionObserver(seen => {
  if (!seen.some(one => one.isIntersecting)) return;
  watcher.disconnect();
  trigger("load");
});
watcher.observe(element);
watch("value", read);
read();
