// A frame on a photo, which is the thumb of a range input; `crop.py` says how it is used.
// Gradio runs this once per component, with `element`, `props`, `trigger` and `watch`.

const box = element.querySelector(".crop"), whole = element.querySelector(".whole");
const range = element.querySelector("input");
let resting;

function read() {
  const {photo, width, height, at} = props.value || {};
  box.hidden = !photo;
  if (!photo) return;
  whole.style.backgroundImage = `url(${photo})`;
  whole.style.aspectRatio = `${width} / ${height}`;
  whole.classList.toggle("tall", height > width);
  range.setAttribute("aria-orientation", height > width ? "vertical" : "horizontal");
  if (Number(range.value) !== at) range.value = at;
  say();
}

function say() {
  const [first, last] = whole.classList.contains("tall") ? ["top", "bottom"] : ["left", "right"];
  const place = Math.round(100 * range.value);
  const words = {0: first, 50: "middle", 100: last}[place] ?? `${place} % of the way from the ${first}`;
  range.setAttribute("aria-valuetext", words);
}

function rest() {
  say();
  clearTimeout(resting);
  resting = setTimeout(() => {
    if (!props.value?.photo || props.value.at === Number(range.value)) return;
    props.value = {...props.value, at: Number(range.value)};
    trigger("input");
  }, 250);
}

// Down and right go on, up and left back, whichever way the frame moves.
range.addEventListener("keydown", event => {
  const step = {ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, PageUp: -5, PageDown: 5}[event.key];
  if (!step) return;
  event.preventDefault();
  range.value = Number(range.value) + step * Number(range.step);
  rest();
});
range.addEventListener("input", say);
range.addEventListener("change", rest);
watch("value", read);
read();
