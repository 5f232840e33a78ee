// What a knob does, as five pictures to press; `knobs.py` says how it is used.
// Gradio runs this once per component, with `element`, `props`, `trigger` and `watch`.

const row = element.querySelector(".knobs"), caption = element.querySelector(".knob-said");

function read() {
  const {pictures = [], values = [], knob = "", said = ""} = props.value || {};
  row.setAttribute("aria-label", said);
  caption.textContent = said;
  row.replaceChildren(...pictures.map((source, k) => {
    const button = document.createElement("button"), picture = document.createElement("img");
    button.type = "button";
    button.title = `${knob} ${values[k]}`;
    button.setAttribute("aria-label", button.title);
    button.onclick = () => {
      props.value = {...props.value, chosen: values[k]};
      trigger("input");
    };
    picture.src = source;
    picture.alt = "";
    picture.loading = "lazy";
    button.append(picture, String(values[k]));
    return button;
  }));
  row.hidden = caption.hidden = !pictures.length;
}

let shown;
watch("value", () => {  // another model; a click changes `chosen` alone
  if (props.value?.pictures?.[0] !== shown) read();
  shown = props.value?.pictures?.[0];
});
read();
