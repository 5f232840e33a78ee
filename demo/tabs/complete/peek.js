// Completions: one stands in the hole of the canvas, where the visitor looks; and their order. The first fills it as
// soon as its rows arrive; another takes its place under the pointer, with the focus, or for good when it is tapped.
// Who brushes sees the hole again.

const images = () => [...element.querySelectorAll(".completions figure img")];
const imageOf = event => event.target.closest?.(".completions figure")?.querySelector("img");
const inCanvas = event => element.isConnected && event.target.closest?.("#complete-canvas");
let number = 0, filled = false, brushing = false, pointed = null;

function place() {
  const image = pointed?.isConnected ? pointed : filled ? images()[number] : null;
  for (const one of images()) one.closest("figure").toggleAttribute("data-here", one === image);
  const line = document.querySelector("#complete-hole p");
  if (line) line.textContent = image ? sentence(image) : "";
  const show = () => {  // a picture that was not read yet would draw nothing
    if (!image || image.isConnected && image.closest("[data-here]"))
      document.querySelector("#complete-canvas canvas")?.dispatchEvent(new CustomEvent("peek", {detail: image}));
  };
  if (image && !image.complete) image.decode().then(show, () => {});
  else show();
}

function sentence(image) {
  const row = [...image.closest(".completions").querySelectorAll("img")], damaged = document.querySelector(
    "#complete-canvas .brushes[hidden]");
  const name = /^completion/.test(image.alt) ? `number ${row.indexOf(image) + 1} of ${row.length}` : image.alt;
  return `${name[0].toUpperCase()}${name.slice(1)}, ${damaged ? "in place of the damaged picture" : "in the hole"}`;
}

function empty() {
  [filled, pointed] = [false, null];
  place();
}

for (const [enter, leave] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
  element.addEventListener(enter, event => { if (imageOf(event)) { pointed = imageOf(event); place(); } });
  element.addEventListener(leave, event => { if (imageOf(event)) { pointed = null; place(); } });
}
element.addEventListener("click", event => {
  if (imageOf(event)) {
    [number, filled] = [images().indexOf(imageOf(event)), !element.querySelector(".blank")];
    place();
  }
  const button = event.target.closest("button[data-by]");
  if (!button) return;
  element.querySelector(".completions").dataset.by = button.dataset.by;
  for (const one of element.querySelectorAll("button[data-by]"))
    one.setAttribute("aria-pressed", one === button);
});
document.addEventListener("pointerdown", event => { if (inCanvas(event)) { brushing = true; empty(); } }, true);
document.addEventListener("keydown", event => { if (inCanvas(event)) empty(); }, true);
for (const end of ["pointerup", "pointercancel"])
  document.addEventListener(end, () => { brushing = false; }, true);
new MutationObserver(() => {  // at rest there is a stored example, or nothing drawn yet
  if (element.querySelector(".at-rest")) number = 0;
  filled = !element.querySelector(".at-rest") && !brushing;
  place();
}).observe(element, {childList: true, subtree: true});
