// Step 4: one pixel is painted cyan, and the rest is drawn again with the same noise.

steps.edits = {
  chosen: 2,  // something stands there from the start
  original: false,
  setup() {
    const {places, size} = story.edits, before = story.picture.pixels;
    this.results = places.map(([row, column], n) => {
      const pixels = part(story.edits.pixels, n, size), at = row * size + column, changed = new Uint8Array(size * size);
      for (let k = 0; k < size * size; k++)
        changed[k] = [0, 1, 2].some(c => pixels[3 * k + c] !== before[3 * k + c]) ? 1 : 0;
      const count = (from, to) => changed.subarray(from, to).reduce((a, b) => a + b, 0);
      return {pixels, at, changed, earlier: count(0, at), later: count(at + 1, size * size)};
    });
    find(this, ".spots").append(...places.map(([row, column], n) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = n + 1;
      button.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-label", `Paint spot ${n + 1} cyan: row ${row + 1}, column ${column + 1}`);
      button.onclick = () => this.take(n);
      return button;
    }));
    on(this, "[data-do=compare]", () => { this.original = !this.original; this.press(); this.show(); });
  },
  press() {
    [...find(this, ".spots").children].forEach((button, n) => button.setAttribute("aria-pressed", n === this.chosen));
    find(this, "[data-do=compare]").setAttribute("aria-pressed", this.original);
  },
  take(number) {
    [this.chosen, this.original] = [number, false];
    const {at} = this.results[number], all = story.edits.size ** 2;
    this.press();
    this.tell();
    animate("edit", 1.6, share => this.show(at + 1 + Math.round(share * (all - at - 1))));
  },
  tell() {
    const {at, earlier, later} = this.results[this.chosen], all = story.edits.size ** 2;
    say(`<b>${later}</b> of the ${all - at - 1} pixels after it change. Of the ${at} before it: <b>${earlier}</b>.`);
  },
  show(upto = story.edits.size ** 2) {
    const {size, places, colour: cyan} = story.edits, before = story.picture.pixels, chosen = this.results[this.chosen];
    const pixels = before.slice();
    if (!this.original) pixels.set(chosen.pixels.subarray(0, 3 * upto));
    const moving = upto < size * size;
    easel({pixels, frame: moving ? [Math.floor(upto / size), upto % size] : null, over: (pen, zoom, crop, ratio) => {
      places.forEach(([row, column], n) => {
        const mine = n === this.chosen;
        if (!mine && !this.original) return;  // the other spots are marked in the original only
        ring(pen, row * zoom, column * zoom, zoom, ratio, mine ? colour("--now") : hex(cyan));
        if (!this.original) return;
        pen.font = `600 ${Math.round(13 * ratio)}px system-ui, sans-serif`;
        pen.textAlign = "center";
        pen.lineWidth = 3 * ratio;
        pen.strokeStyle = "#fff";
        pen.fillStyle = "#23211d";
        const where = [(column + 0.5) * zoom, row * zoom + (row < 4 ? 2.6 : -0.7) * zoom];
        pen.strokeText(n + 1, ...where);
        pen.fillText(n + 1, ...where);
      });
    }}, `The picture ${this.original ? "as it was, with its spots marked" : "drawn again after one pixel was painted cyan"}.`);
    this.map(upto);
  },
  map(upto) {
    const {size, places} = story.edits, chosen = this.results[this.chosen];
    const canvas = find(this, ".map"), frame = places[this.chosen];
    paint(find(this, ".was"), {size, pixels: story.picture.pixels, frame});
    paint(find(this, ".becomes"), {size, pixels: chosen.pixels, drawn: upto, frame});
    const ink = {same: colour("--same"), before: colour("--past"), after: colour("--now"), cyan: hex(story.edits.colour)};
    paint(canvas, {size, pixels: story.picture.pixels, veil: k => k === chosen.at ? ink.cyan
      : chosen.changed[k] && k < upto ? ink.after : k < chosen.at ? ink.before : ink.same});
    canvas.setAttribute("aria-label", `A map: ${chosen.later} later pixels changed, ${chosen.earlier} earlier ones.`);
    const all = size * size, rows = [["before it", chosen.earlier, chosen.at], ["after it", chosen.later, all - chosen.at - 1]];
    find(this, ".counts tbody").innerHTML = rows.map(([name, changed, of], n) =>
      `<tr><th scope="row"><i class="${n ? "after-it" : "before-it"}"></i>${name}</th><td><b>${changed}</b> of ${of}</td></tr>`).join("");
  },
  enter() {
    sourceOfPicture();
    this.press();
    this.show();
    this.tell();
  },
  leave() { halt("edit"); },
  pick(row, column) {  // a click into the picture takes the spot nearest to it
    const far = story.edits.places.map(([r, c]) => (r - row) ** 2 + (c - column) ** 2);
    this.take(far.indexOf(Math.min(...far)));
  },
};
