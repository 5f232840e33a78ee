// The story: one figure, eight steps, everything from the record in `props.value`. Gradio runs these files, joined, once,
// with `element` and `props`. Nothing here asks the server for anything.

const steps = {}, COLOURS = ["Red", "Green", "Blue"];
let story;

const find = (step, selector) => step.section.querySelector(selector);
const on = (step, selector, act) => step.section.querySelectorAll(selector).forEach(
  button => button.addEventListener("click", () => act(button)));
const chip = rgb => `<i class="chip" role="img" aria-label="${spoken(rgb)}" style="background:rgb(${[...rgb]})"></i>`;
const HUES = ["red", "brown", "yellow", "green", "green", "green", "cyan", "blue", "blue", "violet", "pink", "pink"];

function spoken([r, g, b]) {  // for those who hear it: a word, and the three values
  const [least, most] = [Math.min(r, g, b), Math.max(r, g, b)], spread = most - least, light = (least + most) / 2;
  const turn = most === r ? (g - b) / spread : most === g ? 2 + (b - r) / spread : 4 + (r - g) / spread;
  let word = spread < 24 ? "grey" : HUES[(Math.round(2 * turn) + 12) % 12];  // thirty degrees of hue each
  if (light > 170 && word === "red") word = "pink";
  word = light < 24 ? "black" : light > 235 ? "white" : `${light < 70 ? "dark " : light > 170 ? "light " : ""}${word}`;
  return `${word} (red ${r}, green ${g}, blue ${b})`;
}
