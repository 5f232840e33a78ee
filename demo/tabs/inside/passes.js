// One picture drawn twice: sub-pixel after sub-pixel, and all at once, pass after pass; `figures.py` has the value.
// Where it is not known yet how the picture settles, Play asks the server, and plays what comes back.

const slider = element.querySelector("input"), play = element.querySelector("button");
const said = element.querySelector("output"), figures = [...element.querySelectorAll("figure")];
const unpack = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
const told = element.querySelector(".told"), RATE = 60;  // passes per second
let latest, rgb, settled, height = 0, width = 0, passes = 0, playing = false, asked = false, before = 0, owed = 0;

function read() {
  const value = props.value;
  if (!value || !value.pixels || latest && value.pixels === latest.pixels && value.settled === latest.settled) {
    if (asked) halt();  // no answer came
    asked = false;
    return;
  }
  latest = value;
  [height, width, passes, rgb] = [value.height, value.width, value.passes, unpack(value.pixels)];
  settled = value.settled ? new Uint16Array(unpack(value.settled).buffer) : null;
  told.innerHTML = value.told;
  slider.disabled = !settled;
  slider.max = Math.max(passes, 1);
  slider.value = settled ? Math.round(0.8 * passes) : 0;  // both are at work, and much is there to see
  halt();
  draw();
  if (settled && asked) { slider.value = 0; start(); }
  asked = false;
}

function draw() {
  if (!rgb) return;
  element.querySelector(".pair").hidden = !settled;
  const step = Number(slider.value), all = height * width, done = [0, 0];
  said.textContent = settled ? `after ${step} of ${passes} evaluations of the network` : "";
  figures.forEach((figure, k) => {
    const image = new ImageData(width, height);
    for (let i = 0; i < all; i++) {
      if (!settled || (k ? settled[i] > step : 3 * (i + 1) > step)) continue;
      image.data.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
      image.data[4 * i + 3] = 255;
      done[k]++;
    }
    const sheet = figure.querySelector("canvas");
    [sheet.width, sheet.height] = [width, height];
    sheet.getContext("2d").putImageData(image, 0, 0);
    const words = !settled ? "not drawn yet" : `${done[k].toLocaleString("en")} of ${all.toLocaleString("en")} pixels are right for good`;
    sheet.setAttribute("aria-label", words);
    figure.querySelector("span").textContent = words;
  });
}

function halt() { playing = false; play.textContent = "Play"; }
function frame(now) {
  if (!playing) return;
  owed += Math.min(now - before, 250) / 1000 * RATE;
  before = now;
  slider.value = Number(slider.value) + Math.floor(owed);
  owed %= 1;
  draw();
  if (Number(slider.value) >= passes) { halt(); return; }
  requestAnimationFrame(frame);
}
function start() {
  playing = true;
  play.textContent = "Pause";
  if (Number(slider.value) >= passes) slider.value = 0;
  before = performance.now();
  requestAnimationFrame(frame);
}
play.addEventListener("click", () => {
  if (playing) { halt(); return; }
  if (settled) { start(); return; }
  asked = true;
  play.textContent = "Waiting…";
  trigger("input");
});
slider.addEventListener("input", () => { halt(); draw(); });
watch("value", read);
read();
