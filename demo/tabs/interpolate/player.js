// A path as a film with its strip as timeline; `player.py` says what it is given.
// Gradio runs this once per component, with `element`, `props` and `watch`.

const find = selector => element.querySelector(selector);
const canvas = find("canvas"), pen = canvas.getContext("2d"), play = find(".play"), scrub = find(".scrub");
const said = find("output"), flashes = find(".flash input"), circle = find(".circle"), where = find(".where"), exact = find(".exact");
const change = find(".change"), timeline = find(".timeline");
const STEP = 550, FLASH = 180, MUCH = 32;  // milliseconds; and what counts as a clear change, of 255
const still = window.matchMedia("(prefers-reduced-motion: reduce)");
flashes.checked = !still.matches;

let film = null, pixels = null, cells = [], step = 0, noise = 0, timer, direction = 1, turns = Infinity, fade, seen = false, visible = false, asked = false;

function read() {
  const value = props.value;
  if (!value || !value.atlas) return;
  const picture = new Image();
  picture.onload = () => {
    if (props.value !== value) return;
    const before = film;
    film = value;
    const atlas = document.createElement("canvas"), small = atlas.getContext("2d", {willReadFrequently: true});
    [atlas.width, atlas.height] = [picture.width, picture.height];
    small.drawImage(picture, 0, 0);
    const {columns, rows, size} = film;
    pixels = Array.from({length: columns}, (_, column) => Array.from({length: rows}, (_, row) =>
      small.getImageData(column * size, row * size, size, size)));
    step = Math.min(step, columns - 1);
    noise = Math.min(noise, rows - 1);
    if (!before || before.columns !== columns || before.rows !== rows || before.names.join() !== film.names.join()
        || before.ends.join() !== film.ends.join()) lay();
    fill();
    if (film.done && before && !before.done) begin();
    else if (!film.done) stop();
    show(step, false);
    first();
  };
  picture.src = value.atlas;
}

const alt = (column, row) => `${film.names[0]} to ${film.names[1]}, step ${column + 1} of ${film.columns}`
  + (film.rows > 1 ? `, noise ${row + 1}` : "");

function make(tag, name, words) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (words) node.textContent = words;
  return node;
}

function lay() {  // the timeline: the two ends above, a row per noise, a column per step
  const ends = make("div", "ends");
  film.names.forEach((name, k) => {
    const figure = make("figure");
    if (film.ends[k]) {
      const image = make("img");
      image.src = film.ends[k];
      image.alt = `The photo of ${name}`;
      figure.append(image);
    }
    figure.append(make("figcaption", "", name));
    ends.append(figure);
  });
  const grid = make("div", "cells");
  grid.style.setProperty("--columns", film.columns);
  cells = Array.from({length: film.columns}, () => []);
  for (let row = 0; row < film.rows; row++) {
    const head = make("button", "noise", String(row + 1));
    head.type = "button";
    head.setAttribute("aria-label", `Noise ${row + 1}`);
    head.onclick = () => { noise = row; show(step, false); };
    grid.append(head);
    for (let column = 0; column < film.columns; column++) {
      const cell = make("canvas", "cell");
      cell.setAttribute("role", "img");
      cell.setAttribute("aria-label", alt(column, row));
      cell.onpointerenter = event => { if (event.pointerType === "mouse") look(column, row); };
      cell.onclick = () => look(column, row);
      cells[column][row] = cell;
      grid.append(cell);
    }
  }
  grid.append(make("span"));
  for (let column = 0; column < film.columns; column++)
    grid.append(make("span", "t", String(column + 1)));
  timeline.replaceChildren(ends, grid);
  scrub.max = film.columns;
}

function fill() {
  cells.forEach((column, k) => column.forEach((cell, row) => {
    cell.width = cell.height = film.size;
    cell.getContext("2d").putImageData(pixels[k][row], 0, 0);
  }));
}

function look(column, row) {
  asked = true;
  stop();
  noise = row;
  show(column, true);
}

function difference(a, b) {  // the pixels that are more than MUCH apart in two steps
  const [one, two] = [pixels[a][noise].data, pixels[b][noise].data], much = [];
  for (let k = 0; k < one.length; k += 4) {
    const most = Math.max(Math.abs(one[k] - two[k]), Math.abs(one[k + 1] - two[k + 1]), Math.abs(one[k + 2] - two[k + 2]));
    if (most > MUCH) much.push(k / 4);
  }
  return much;
}

function paint(marked = []) {
  const {size} = film, small = document.createElement("canvas"), zoom = canvas.width / size;
  small.width = small.height = size;
  small.getContext("2d").putImageData(pixels[step][noise], 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, 0, 0, canvas.width, canvas.height);
  pen.fillStyle = "rgb(232 116 79 / .5)";
  for (const k of marked) pen.fillRect(k % size * zoom, Math.floor(k / size) * zoom, zoom, zoom);
}

function show(column, moved) {
  if (!film) return;
  const before = step;
  step = column;
  clearTimeout(fade);
  const near = moved && Math.abs(before - step) === 1;
  const jumped = near ? difference(before, step) : null;
  const marked = jumped && flashes.checked && asked;  // until someone asks, it is the face that is shown
  paint(marked ? jumped : []);
  if (marked) fade = setTimeout(paint, FLASH);
  canvas.setAttribute("aria-label", alt(step, noise));
  scrub.value = step + 1;
  scrub.setAttribute("aria-valuetext", `step ${step + 1} of ${film.columns}`);
  const t = step / (film.columns - 1), percent = share => `${Math.round(100 * share)} %`;
  said.textContent = `${step + 1} / ${film.columns}`;
  cells.forEach((row, k) => row.forEach((cell, r) => cell.classList.toggle("now", k === step && r === noise)));
  timeline.querySelectorAll(".noise").forEach((head, r) => head.setAttribute("aria-pressed", r === noise));
  const size = film.size ** 2;
  change.textContent = !film.done ? "" : jumped
    ? `From step ${before + 1} to ${step + 1}: ${percent(jumped.length / size)} of the pixels changed clearly.`
    : "Play, or move along the strip: what jumps from one step to the next flashes.";
  draw(t);
}

const COUNT = ["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
const PART = ["", "", "half", "third", "quarter", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh"];
function share(step, steps) {  // a part of the way in words, which the steps are few enough for
  const common = (a, b) => b ? common(b, a % b) : a, by = common(step, steps), [one, all] = [step / by, steps / by];
  return all === 2 ? "half" : `${COUNT[one]} ${PART[all]}${one > 1 ? "s" : ""}`;
}

// Two vectors lie in a plane: there both routes can be drawn as they are.
function draw(t) {
  const angle = film.angle * Math.PI / 180, first = Math.PI / 2 + angle / 2, last = Math.PI / 2 - angle / 2;
  const on = (turn, length = 1) => [Math.cos(turn) * length, -Math.sin(turn) * length];
  const [a, b] = [on(first), on(last)];
  const round = s => on(first + (last - first) * s), straight = s => [0, 1].map(k => a[k] + (b[k] - a[k]) * s);
  const route = film.route === "linear" ? straight : round, now = route(t);
  const text = ([x, y]) => `${x.toFixed(3)} ${y.toFixed(3)}`;
  const dots = Array.from({length: film.columns}, (_, k) => route(k / (film.columns - 1)))
    .map(([x, y]) => `<circle class="dot" cx="${x.toFixed(3)}" cy="${y.toFixed(3)}" r=".022"/>`).join("");
  const half = b[0] + .62;  // the sector, and room for the names
  circle.setAttribute("viewBox", `${-half} -1.2 ${2 * half} 1.26`);
  circle.style.setProperty("--letter", `${(half * .09).toFixed(3)}px`);
  circle.innerHTML = `<path class="ray" d="M0 0L${text(a)}M0 0L${text(b)}"/>
    <path class="${film.route === "linear" ? "taken" : "other"}" d="M${text(a)}L${text(b)}"/>
    <path class="${film.route === "linear" ? "other" : "taken"}" d="M${text(a)}A1 1 0 0 1 ${text(b)}"/>${dots}
    <path class="h" d="M0 0L${text(now)}"/><circle class="here" cx="${now[0]}" cy="${now[1]}" r=".05"/>
    <text x="${(a[0] - .06).toFixed(2)}" y="${(a[1] - .07).toFixed(2)}" text-anchor="end"></text>
    <text x="${(b[0] + .06).toFixed(2)}" y="${(b[1] - .07).toFixed(2)}"></text>`;
  circle.querySelectorAll("text").forEach((node, k) => node.textContent = film.names[k]);
  const length = Math.hypot(...now);
  circle.setAttribute("aria-label", `${film.names[0]} and ${film.names[1]} as two directions, ${film.angle} degrees apart`);
  const [from, to] = film.names;
  where.replaceChildren(make("b", "", `Step ${step + 1} of ${film.columns}:`),
    ` ${t === 0 ? `all ${from}` : t === 1 ? `all ${to}` : `${share(step, film.columns - 1)} of the way to ${to}`}.`);
  exact.textContent = `t = ${t.toFixed(2)} along the ${film.route === "linear" ? "straight line" : "arc"} `
    + `from one list of numbers to the other, which are ${film.angle.toFixed(0)}° apart. The list mixed here is `
    + `${(100 * length).toFixed(0)} % as long as theirs.`;
}

function stop() {
  clearInterval(timer);
  timer = null;
  play.textContent = "▶";
  play.setAttribute("aria-label", "Play");
}

function run(times) {
  if (!film || film.columns < 2) return;
  stop();
  turns = times;
  play.textContent = "❚❚";
  play.setAttribute("aria-label", "Pause");
  timer = setInterval(() => {
    if (!element.isConnected) return stop();
    if (!canvas.getClientRects().length) return;
    if (step + direction < 0 || step + direction >= film.columns) {
      direction = -direction;
      if (--turns <= 0) return stop();
    }
    show(step + direction, true);
  }, STEP);
}

function begin() {  // there and back, once, when there is something new to see
  if (still.matches || !film || !film.done) return;
  direction = 1;
  show(0, false);
  run(2);
}

// Whoever begins to do something here has seen enough of a film that began by itself.
function interrupt(event) {
  if (element.contains(event.target)) asked = true;
  if (timer && turns < Infinity && !play.contains(event.target)) stop();
}
for (const kind of ["pointerdown", "keydown"])
  (element.closest("[role=tabpanel]") || element).addEventListener(kind, interrupt);
play.addEventListener("click", () => timer ? stop() : run(Infinity));
scrub.addEventListener("input", () => { stop(); show(scrub.value - 1, true); });
function first() {  // the stored film plays once, when it is seen for the first time
  if (seen || !visible || !film || !film.done) return;
  seen = true;
  begin();
}

new IntersectionObserver(entries => {
  visible = entries.at(-1).isIntersecting;
  first();
}, {threshold: 0.6}).observe(canvas);
watch("value", read);
read();
