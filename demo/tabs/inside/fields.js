// What a plain and a gated network see from the framed pixel, layer by layer; `figures.py` says what the value holds.

const slider = element.querySelector("input"), play = element.querySelector("button");
const said = element.querySelector("output"), figures = [...element.querySelectorAll("figure")];
const SEEN = [51, 101, 138], BLIND = [216, 132, 60], HERE = [177, 71, 42], SHARE = 0.62;
const depth = Number(slider.max), side = 2 * depth - 1;
const unpack = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
const reach = Object.fromEntries(Object.entries(props.reach).map(([kind, text]) => [kind, unpack(text)]));
let rgb, height = 0, width = 0, place = [0, 0], timer;

function read() {
  const value = props.value;
  if (!value || !value.pixels) return;
  [height, width, rgb, place] = [value.height, value.width, unpack(value.pixels), value.place];
  draw();
}

function draw() {
  if (!rgb) return;
  const layers = Number(slider.value), [row, column] = place, here = row * width + column;
  said.textContent = `${layers} layer${layers > 1 ? "s" : ""} of 3 × 3`;
  for (const figure of figures) {
    const needed = reach[figure.dataset.kind], image = new ImageData(width, height);
    let missing = 0;
    for (let k = 0; k < height * width; k++) {
      const layer = needed[(Math.floor(k / width) - row + depth - 1) * side + k % width - column + depth - 1];
      const seen = layer > 0 && layer <= layers, blind = k < here && !seen;
      const tint = k === here ? HERE : seen ? SEEN : blind ? BLIND : null, share = k === here ? 1 : tint ? SHARE : 0;
      for (let c = 0; c < 3; c++)
        image.data[4 * k + c] = (rgb[3 * k + c] / 2 + 64) * (1 - share) + (tint ? tint[c] * share : 0);
      image.data[4 * k + 3] = 255;
      missing += blind;
    }
    const sheet = figure.querySelector("canvas");
    [sheet.width, sheet.height] = [width, height];
    sheet.getContext("2d").putImageData(image, 0, 0);
    sheet.setAttribute("aria-label", `${missing} of ${here} earlier pixels are not seen`);
    figure.querySelector("span").innerHTML = `<b class="missing">${missing}</b> of ${here} earlier pixels are missing`;
  }
}

function halt() { clearInterval(timer); timer = null; play.textContent = "Play"; }
play.addEventListener("click", () => {
  if (timer) { halt(); return; }
  play.textContent = "Pause";
  if (Number(slider.value) === depth) slider.value = 0;
  const next = () => {
    slider.value = Number(slider.value) + 1;
    draw();
    if (Number(slider.value) >= depth) halt();
  };
  timer = setInterval(next, 220);
  next();
});
slider.addEventListener("input", () => { halt(); draw(); });
document.addEventListener("pixel", event => {
  if (!event.target.closest(props.source)) return;
  place = event.detail.place;
  draw();
});
watch("value", read);
read();
