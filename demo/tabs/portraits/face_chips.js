// The faces of a photo as buttons with their pictures; `face_chips.py` says how it is used.
// Gradio runs this once per component, with `element`, `props`, `trigger` and `watch`.

const row = element.querySelector(".faces");

function read() {
  const {faces = [], chosen = []} = props.value || {};
  row.replaceChildren(...faces.map((source, k) => {
    const button = document.createElement("button"), picture = document.createElement("img");
    button.type = "button";
    button.dataset.face = k + 1;
    button.setAttribute("aria-pressed", chosen.includes(k + 1));
    button.setAttribute("aria-label", `Face ${k + 1}`);
    picture.src = source;
    picture.alt = "";
    button.append(picture, String(k + 1));
    return button;
  }));
  row.hidden = !faces.length;
}

function toggle(number) {
  const {chosen = []} = props.value || {}, focus = row.contains(document.activeElement);
  const now = chosen.includes(number) ? chosen.filter(one => one !== number) : [...chosen, number].sort((a, b) => a - b);
  props.value = {...props.value, chosen: now};
  read();
  if (focus) row.children[number - 1].focus();
  trigger("input");
}

// Boxes in the photo lie in another component, which the server writes anew: so the whole tab is listened to.
(element.closest("[role=tabpanel]") || document).addEventListener("click", event => {
  const button = event.target.closest("[data-face]");
  if (button) toggle(Number(button.dataset.face));
});
watch("value", read);
read();
