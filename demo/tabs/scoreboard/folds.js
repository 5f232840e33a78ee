// Opens the folds that the address names, as scoreboard.open=ladder,curves, and writes there what a visitor opens.
const KEY = "scoreboard.open", folds = [...element.querySelectorAll("details.fold")];
const asked = (new URLSearchParams(window.location.search).get(KEY) || "").split(",");
const named = folds.filter(fold => asked.includes(fold.dataset.key));

for (const fold of named) fold.open = true;
for (const fold of folds) {
  fold.addEventListener("toggle", () => {
    const open = folds.filter(other => other.open).map(other => other.dataset.key);
    window.address.write({[KEY]: open.join(",") || null});
  });
}
// A tap or Enter pins a curve and its name, until it is tapped again.
for (const curve of element.querySelectorAll("#ladder-curves .curve")) {
  const pin = () => curve.setAttribute("aria-pressed", curve.classList.toggle("pinned"));
  curve.addEventListener("click", pin);
  curve.addEventListener("keydown", event => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    pin();
  });
}
if (named.length) {
  window.address.whenQuiet(() => {
    const seen = named[0].getClientRects().length > 0;  // not while another tab is open
    if (seen && window.scrollY < 60) named[0].scrollIntoView();
  });
}
