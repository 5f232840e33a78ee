// Completions: the one under the pointer, or with the focus, stands in the hole of the canvas; and their order.

const canvas = () => document.querySelector("#complete-canvas canvas");
const peek = image => canvas()?.dispatchEvent(new CustomEvent("peek", {detail: image}));
const pictureOf = event => event.target.closest?.(".completions figure")?.querySelector("img");

for (const [enter, leave] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
  element.addEventListener(enter, event => { if (pictureOf(event)) peek(pictureOf(event)); });
  element.addEventListener(leave, event => { if (pictureOf(event)) peek(null); });
}
element.addEventListener("click", event => {
  const button = event.target.closest("button[data-by]");
  if (!button) return;
  element.querySelector(".completions").dataset.by = button.dataset.by;
  for (const one of element.querySelectorAll("button[data-by]"))
    one.setAttribute("aria-pressed", one === button);
});
