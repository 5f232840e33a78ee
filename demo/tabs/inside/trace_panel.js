// The distributions of one pixel, and the player; `trace_panel.py` says what the value holds.

const find = selector => element.querySelector(selector);
const play = find("[data-do=play]"), scrub = find("input"), count = find("output"), speed = find("select");
const sections = [...element.querySelectorAll("section")], table = find("tbody");
const canvas = () => document.querySelector(props.source + " canvas");
const COLOURS = ["red", "green", "blue"];
let height = 0, width = 0, heights, numbers, place = [0, 0], step = 0, playing = false, latest, axes = [0, 0, 0];

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
  count.textContent = all ? `all ${step} pixels are there` : `${step} pixels drawn; next: row ${row}, column ${column}`;
  canvas()?.dispatchEvent(new CustomEvent("reveal", {detail: all ? null : step}));
  odds();
}

function odds() {
  if (!heights) return;
  const [row, column] = shown(), first = 3 * (row * width + column);
  const values = [0, 1, 2].map(c => numbers[5 * (first + c)]);
  const told = props.value.told ? `, h = ${props.value.told}` : "";
  const {painted} = props.value, k = row * width + column;
  const verb = painted.includes(k) ? "was painted" : k > Math.min(...painted) ? "was drawn after the paint" : props.value.verb;
  const given = ["", `, R = ${values[0]}`, `, R = ${values[0]}, G = ${values[1]}`];
  table.innerHTML = "";
  sections.forEach((section, c) => {
    const k = first + c, [value, surprise, entropy, rank, peak] = numbers.subarray(5 * k, 5 * k + 5);
    const bars = heights.subarray(256 * k, 256 * k + 256), likeliest = bars.indexOf(255), p = 2 ** -surprise;
    section.querySelector("p").innerHTML = `The likeliest <b class="${COLOURS[c]}">${COLOURS[c]}</b> is ` +
      `<b>${likeliest}</b> (${oneIn(peak)});<br><b class="value">${value}</b> ${verb}: <b>${oneIn(p)}</b>` +
      (rank > 1 ? "" : ", the likeliest");
    const swatch = section.querySelector(".built"), built = values.map((v, k) => k <= c ? v : 0);
    swatch.style.background = `rgb(${built})`;
    section.querySelector("figcaption").textContent = ["red so far", "with green", "whole pixel"][c];
    const fits = ENDS.find(end => peak <= end) ?? 1;
    axes[c] = playing ? Math.max(axes[c], fits) : fits;  // an axis that jumps would look like bars that move
    chart(section.querySelector("canvas"), bars, value, peak, c);
    table.insertAdjacentHTML("beforeend", `<tr><th scope="row">p( ${"RGB"[c]} | earlier pixels${told}${given[c]} )</th>` +
      `<td>${percent(p)}</td><td>${rank} of 256</td><td>${surprise.toFixed(2)}</td><td>${entropy.toFixed(2)}</td></tr>`);
  });
}

function oneIn(p) {
  const share = 1 / p;
  if (share > 1e6) return "less than 1 in a million";
  return share < 9.5 ? `1 in ${share.toFixed(1).replace(".0", "")}` : `1 in ${Math.round(share).toLocaleString("en")}`;
}

function percent(p) {
  return p >= 0.001 ? (100 * p).toFixed(p < 0.1 ? 2 : 1) + " %" : p.toExponential(1);
}

const ENDS = [0.05, 0.1, 0.2, 0.5, 1];  // where an axis may end: so that a flat distribution can be seen, too
function chart(sheet, tall, value, peak, channel) {
  const ratio = window.devicePixelRatio || 1, pen = sheet.getContext("2d"), style = getComputedStyle(sheet);
  const wide = sheet.parentElement.clientWidth, high = Math.round(72 * ratio), ramp = Math.round(8 * ratio);
  const base = high - ramp - Math.round(7 * ratio), room = base - Math.round(11 * ratio);
  [sheet.width, sheet.height] = [Math.round(wide * ratio), high];
  const bar = sheet.width / 256;
  pen.fillStyle = style.getPropertyValue("--hatch");
  pen.fillRect(0, 0, sheet.width, base);
  pen.font = `${10 * ratio}px sans-serif`;
  const left = value + tall.indexOf(255) > 255;  // the words keep clear of the bars
  for (const line of [axes[channel], axes[channel] / 2]) {
    const y = Math.round(base - room * line / axes[channel]) + 0.5;
    pen.fillStyle = style.getPropertyValue("--body-text-color-subdued");
    pen.globalAlpha = 0.35;
    pen.fillRect(0, y, sheet.width, 1);
    pen.globalAlpha = 1;
    pen.textAlign = left ? "left" : "right";
    pen.fillText(`${100 * line} %`, left ? 3 * ratio : sheet.width - 3 * ratio, y - 2 * ratio);
  }
  for (let level = 0; level < 256; level++) {
    const top = room * tall[level] / 255 * peak / axes[channel], x = level * bar;
    pen.fillStyle = level === value ? style.getPropertyValue("--now") : style.getPropertyValue("--known");
    pen.fillRect(x, base - top, bar, top);
    pen.fillStyle = `rgb(${[0, 1, 2].map(c => c === channel ? level : 0)})`;
    pen.fillRect(x, base + 1, bar + 0.5, ramp);
  }
  const x = (value + 0.5) * bar, tip = base + 1 + ramp, side = 6 * ratio;
  pen.fillStyle = style.getPropertyValue("--now");
  pen.fillRect(Math.round(x - ratio / 2), 0, Math.max(1, ratio), base);
  pen.beginPath();
  pen.moveTo(x, tip);
  pen.lineTo(x - side, high);
  pen.lineTo(x + side, high);
  pen.fill();
  sheet.setAttribute("role", "img");
  sheet.setAttribute("aria-label", `256 probabilities of ${COLOURS[channel]}; the picture has ${value}, the likeliest ` +
    `has ${percent(peak)}; the axis ends at ${100 * axes[channel]} %`);
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
    if (canvas()?.getBoundingClientRect().bottom < 120) canvas().scrollIntoView({block: "center"});  // on a phone
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
  const edited = document.querySelector("#inside-comparison [data-place]");
  if (edited) edited.classList.toggle("old", edited.dataset.place !== String(place));
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
