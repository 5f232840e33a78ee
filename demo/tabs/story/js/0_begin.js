// The story: one figure, eight steps, everything from the record in `props.value`. Gradio runs these files, joined, once,
// with `element` and `props`. Nothing here asks the server for anything.

const steps = {}, COLOURS = ["Red", "Green", "Blue"];
let story;

const find = (step, selector) => step.section.querySelector(selector);
const on = (step, selector, act) => step.section.querySelectorAll(selector).forEach(
  button => button.addEventListener("click", () => act(button)));
const chip = rgb => `<i class="chip" style="background:rgb(${[...rgb]})"></i>`;
const spoken = ([r, g, b]) => `red ${r}, green ${g}, blue ${b}`;
