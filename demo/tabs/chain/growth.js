// The button under the smallest picture is redrawn with the pictures: it presses one of the page that stays, and the
// mosaic comes into sight, with the focus, once it is there. On a phone the pictures lie below the mosaic and above what
// one chooses: when they begin to be drawn, they come into sight.

const still = window.matchMedia("(prefers-reduced-motion: reduce)"), stage = element.closest(".stage");
const MOSAIC = "#chain-start input[value=mosaic]";
let stroke = false;  // whether the last thing that was done was to paint with a finger or a mouse

function goToMosaic(tries) {
  const canvas = document.querySelector("#chain-mosaic canvas");
  if (canvas?.getClientRects().length) {
    canvas.scrollIntoView({block: "center"});
    canvas.focus({preventScroll: true});
  } else if (tries) setTimeout(goToMosaic, 50, tries - 1);
}

function goToPictures() {
  const {top, bottom} = element.getBoundingClientRect();
  if (top < innerHeight - 240 && bottom > 240) return;  // enough of them is in sight
  if (document.querySelector(MOSAIC)?.checked && !stroke) return;  // somebody is about to paint
  element.scrollIntoView({block: "start", behavior: still.matches ? "auto" : "smooth"});
}

element.addEventListener("click", event => {
  const button = event.target.closest("[data-paint]");
  if (!button) return;
  if (button.dataset.paint !== "on") document.getElementById("chain-paint").click();
  goToMosaic(100);
});
document.addEventListener("change", event => { if (event.target.matches?.(MOSAIC)) goToMosaic(100); });
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, event => {
  stroke = kind === "pointerdown" && Boolean(event.target.closest?.("#chain-mosaic canvas"));
}, true);
let running = false;
new MutationObserver(() => {
  const now = stage.matches(".running");
  if (now && !running && element.getClientRects().length) goToPictures();
  running = now;
}).observe(stage, {attributeFilter: ["class"]});
