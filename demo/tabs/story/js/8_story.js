// The eight steps: which one is open, what stands under the picture, arrow keys, the address, the doors.
// `steps` is filled by the files before this one; each entry has setup, enter, show, and perhaps leave and pick.

const STEP = "story.step";  // its key in the address
const ORDER = ["guess", "dice", "drawing", "edits", "peek", "told", "chain", "face"];
let current, view;

function easel(next, label) {  // what the large canvas shows
  view = {size: story.picture.size, ...next};
  const canvas = element.querySelector(".easel canvas");
  paint(canvas, view);
  if (label) canvas.setAttribute("aria-label", label);
}
function say(words) { element.querySelector(".said").innerHTML = words; }
function source(words, recipe) {  // whose picture it is, plainly; and in the fold "In symbols" how to draw it again
  element.querySelector(".source").textContent = words;
  find(steps[current], ".recipe").textContent = `The picture: ${recipe}.`;
}
function sourceOfPicture(words = "") {
  const {name, told, seed, number, min_p, chosen_from} = story.picture;
  source(`${words}An invented face, drawn by a network. Chosen by eye among ${chosen_from}.`,
    `${name}, told ${told}; seed ${seed}, picture ${number}, min-p ${min_p}`);
}
function reveal(node) { node.scrollIntoView({block: "nearest", behavior: still.matches ? "auto" : "smooth"}); }

function open(name, aloud = true) {
  if (current === name) return;
  if (current) steps[current].leave?.();
  halt("easel");
  current = name;
  const place = ORDER.indexOf(name);
  element.querySelectorAll("[data-step]").forEach(section => section.hidden = section.dataset.step !== name);
  element.querySelectorAll("[data-go]").forEach((button, n) => {
    if (n === place) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  });
  const [back, next] = ["back", "next"].map(way => element.querySelector(`[data-turn=${way}]`));
  back.disabled = place === 0;
  next.hidden = place === ORDER.length - 1;
  if (!next.hidden) next.querySelector("span").textContent = element.querySelector(`[data-step=${ORDER[place + 1]}] h2`).textContent;
  element.querySelector(".story").dataset.open = name;
  steps[name].enter();
  steps[name].entered = true;
  if (aloud) window.address?.step(STEP, place ? name : null);
}
function turn(by, read = false) {  // `read`: the keyboard goes on at the head of the step, not below it
  const place = ORDER.indexOf(current) + by;
  if (place < 0 || place >= ORDER.length) return;
  open(ORDER[place]);
  if (read) find(steps[current], "h2").focus({preventScroll: true});
  const top = element.querySelector("nav").getBoundingClientRect().top;
  if (top < 48) window.scrollBy({top: top - 60, behavior: still.matches ? "auto" : "smooth"});
}

function listen() {
  element.querySelectorAll("[data-go]").forEach(button => button.addEventListener("click", () => open(button.dataset.go)));
  element.querySelector("[data-turn=back]").addEventListener("click", () => turn(-1, true));
  element.querySelector("[data-turn=next]").addEventListener("click", () => turn(1, true));
  element.querySelector("nav").addEventListener("keydown", event => {
    const by = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
    if (!by) return;
    event.preventDefault();
    turn(by);
    element.querySelector("[data-go][aria-current]").focus();
  });
  element.querySelector(".easel canvas").addEventListener("click", event => {
    const box = event.target.getBoundingClientRect();
    const [row, column] = [event.clientY - box.top, event.clientX - box.left].map(at => Math.floor(at / box.width * view.size));
    steps[current].pick?.(row, column);
  });
  element.querySelectorAll("[data-door]").forEach(door => door.addEventListener("click", event => {
    const tab = document.querySelector(`[role=tab][data-tab-id="${door.dataset.door}"]`);
    if (!tab || event.metaKey || event.ctrlKey) return;  // then the link itself opens it
    event.preventDefault();
    tab.click();
  }));
  let wide = element.clientWidth;
  new ResizeObserver(() => {
    if (element.clientWidth === wide) return;  // 0 while another tab is open
    wide = element.clientWidth;
    refresh();
  }).observe(element);
  new MutationObserver(refresh).observe(document.body, {attributeFilter: ["class"]});  // light or dark
}
function refresh() { if (current && element.clientWidth) { const words = element.querySelector(".said").innerHTML; steps[current].show(true); say(words); } }

async function begin() {
  try {
    const answer = await fetch(props.value.file);
    story = await opened(await answer.json());
  } catch (error) {
    element.querySelector(".said").textContent = "The pictures of the story did not arrive, or this browser is too old to unpack them. Please load the page again.";
    return;
  }
  for (const name of ORDER) {
    steps[name].section = element.querySelector(`[data-step=${name}]`);
    find(steps[name], "h2").tabIndex = -1;
    find(steps[name], "details").append(Object.assign(document.createElement("p"), {className: "recipe"}));
    steps[name].setup();
  }
  element.querySelectorAll("[data-fact]").forEach(place => place.textContent = story.picture[place.dataset.fact]);
  listen();
  const follow = wanted => open(ORDER.includes(wanted) ? wanted : ORDER[0], false);
  follow(new URLSearchParams(window.location.search).get(STEP));
  window.address?.follow(STEP, follow);  // Back and Forward
  element.dataset.ready = "true";
}
begin();
