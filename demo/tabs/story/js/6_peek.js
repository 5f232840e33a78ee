// Step 5: masks, layers, two stacks, the gate.

const REACH = 5;  // the close-up shows so many pixels around the framed one

steps.peek = {
  view: "mask",
  masked: true,
  layers: 1,
  kind: "plain",
  stack: "both",
  setup() {
    const {fields} = story;
    this.layers = 1;
    on(this, "[data-view]", button => this.open(button.dataset.view));
    on(this, "[data-do=mask]", () => { this.masked = !this.masked; this.press(); this.show(); });
    on(this, "[data-kind]", button => { this.kind = button.dataset.kind; this.press(); this.show(); });
    on(this, "[data-stack]", button => { this.stack = button.dataset.stack; this.press(); this.show(); });
    on(this, "[data-do=grow]", () => this.grow());
    const depth = find(this, "[name=depth]");
    depth.max = fields.layers;
    depth.addEventListener("input", () => { halt("peek"); this.layers = Number(depth.value); this.show(); });
    find(this, "[name=gate]").addEventListener("input", () => this.show());
  },
  field(kind, layers = this.layers) {
    const area = story.fields.size ** 2;
    return story.fields[kind].subarray((layers - 1) * area, layers * area);
  },
  count(kind) {  // how many earlier pixels this network does not see
    const seen = this.field(kind);
    return story.fields.earlier.reduce((sum, earlier, k) => sum + (earlier && !seen[k] ? 1 : 0), 0);
  },
  open(view) {
    halt("peek");
    this.view = view;
    if (view === "stacks") this.layers = story.fields.layers;
    this.press();
    this.show();
  },
  press() {
    const chosen = {view: this.view, kind: this.kind, stack: this.stack};
    for (const [name, value] of Object.entries(chosen))
      this.section.querySelectorAll(`[data-${name}]`).forEach(button => button.setAttribute("aria-pressed", button.dataset[name] === value));
    this.section.querySelectorAll("[data-panel]").forEach(panel => panel.hidden = panel.dataset.panel !== this.view);
    find(this, "[data-do=mask]").textContent = this.masked ? "Take the mask off" : "Put it on again";
    this.section.querySelectorAll("[data-lit]").forEach(box => {
      const lit = this.stack === "both" || box.dataset.lit.split(" ").includes(this.stack);
      box.classList.toggle("lit", lit);
    });
  },
  grow() {
    const all = story.fields.layers;
    if (still.matches) { this.layers = all; this.show(); return; }
    animate("peek", 5, share => { const now = 1 + Math.round(share * (all - 1)); if (now !== this.layers) { this.layers = now; this.show(true); } }, () => this.show());
  },
  show(quiet) { this[this.view](quiet); },
  mask() {
    const {size, place: [row, column]} = story.fields, now = row * size + column, {pixels} = story.picture, masked = this.masked;
    easel({pixels, drawn: masked ? now : size * size, crop: {top: row - REACH, left: column - REACH, side: 2 * REACH + 1}, frame: [row, column],
      over: (pen, zoom, crop, ratio) => {
        pen.font = `600 ${Math.round(zoom * 0.3)}px system-ui, sans-serif`;
        pen.textAlign = "center";
        for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) {
          const open = dy < 0 || (dy === 0 && dx < 0), y = (REACH + dy) * zoom, x = (REACH + dx) * zoom;
          const [veil, ink] = open ? [colour("--seen"), "#fff"] : masked ? [colour("--sheet"), colour("--soft")] : [colour("--wrong"), "#fff"];
          pen.fillStyle = veil;
          pen.fillRect(x, y, zoom, zoom);
          pen.strokeStyle = colour("--sheet");
          pen.lineWidth = 2 * ratio;
          pen.strokeRect(x, y, zoom, zoom);
          pen.fillStyle = ink;
          pen.fillText(open || !masked ? "× w" : "× 0", x + zoom / 2, y + zoom * 0.61);
        }
      }}, `A close-up: around the framed pixel stand the nine weights of a layer; ${masked ? "those for the pixel itself and for all that comes after it are zero" : "none is zero, and the network sees the answer"}.`);
    sourceOfPicture();
    say(masked ? "With the mask: only pixels that are already drawn count."
      : "Without it: the layer looks at the very pixel that it should predict. It would learn to copy.");
  },
  over(kind) {  // seen: blue; not reached yet: pale; never reached by any depth: red
    const [seen, ever] = [this.field(kind), this.field(kind, story.fields.layers)], {earlier} = story.fields;
    const [tint, later, never] = [colour("--tint"), colour("--later"), colour("--wrong")];
    return k => !earlier[k] ? null : seen[k] ? tint : ever[k] ? later : never;
  },
  depth(quiet) {
    const {size, place} = story.fields, now = place[0] * size + place[1], {pixels} = story.picture;
    const earlier = story.fields.earlier.reduce((a, b) => a + b, 0), [plain, gated] = [this.count("plain"), this.count("gated")];
    find(this, "[name=depth]").value = this.layers;
    find(this, "[name=depth]").setAttribute("aria-valuetext", `${this.layers} layers`);
    find(this, ".depth").textContent = this.layers;
    for (const [kind, missing] of [["plain", plain], ["gated", gated]]) {
      const button = find(this, `[data-kind=${kind}]`);
      paint(button.querySelector("canvas"), {pixels, size, drawn: now, veil: this.over(kind), frame: place});
      button.querySelector("b").textContent = `${earlier - missing} of ${earlier}`;
    }
    easel({pixels, drawn: now, veil: this.over(this.kind), frame: place},
      `What the framed prediction sees through ${this.layers} layers of the ${this.kind} network: ${earlier - this.count(this.kind)} of ${earlier} earlier pixels.`);
    sourceOfPicture();
    const layers = this.layers === 1 ? "One layer" : `${this.layers} layers`;
    if (!quiet) say(this.layers < story.fields.layers ? `${layers}: the plain network sees <b>${earlier - plain}</b> of ${earlier} earlier pixels, the gated one <b>${earlier - gated}</b>.`
      : `${layers}: the plain network never sees <b>${plain}</b> earlier pixels, its <em>blind spot</em>. The gated one misses <b>${gated}</b>.`);
  },
  stacks() {
    const {size, place: [row, column]} = story.fields, now = row * size + column, seen = this.field("gated");
    const [above, beside] = [colour("--tint"), colour("--tint2")], stack = this.stack;
    const count = test => seen.reduce((sum, yes, k) => sum + (yes && test(Math.floor(k / size)) ? 1 : 0), 0);
    easel({pixels: story.picture.pixels, drawn: now, frame: [row, column], veil: k => {
      if (!seen[k]) return null;
      const up = Math.floor(k / size) < row;
      if (stack === "vertical") return up ? above : null;
      if (stack === "horizontal") return up ? null : beside;
      return up ? above : beside;
    }}, `What the ${stack === "both" ? "two stacks see" : stack + " stack sees"}.`);
    sourceOfPicture();
    const [up, left] = [count(r => r < row), count(r => r === row)];
    say({vertical: `The vertical stack takes in everything above: <b>${up}</b> pixels.`,
      horizontal: `The horizontal stack takes in its own row, to the left: <b>${left}</b> pixels.`,
      both: `<b>${up}</b> pixels from above and <b>${left}</b> from the left: <b>${up + left}</b> of the ${now} that are drawn.`}[stack]);
  },
  gate() {
    const open = Number(find(this, "[name=gate]").value), pass = 1 / (1 + Math.exp(-open)), canvas = find(this, ".wave");
    const [pen, wide] = sheet(canvas, 120), half = 60, third = wide / 3, signal = x => Math.tanh(1.6 * Math.sin(x / 13) + 0.9 * Math.sin(x / 31 + 1));
    const curve = (from, to, size, ink) => {
      pen.strokeStyle = ink;
      pen.lineWidth = 2;
      pen.beginPath();
      for (let x = from; x <= to; x++) pen[x === from ? "moveTo" : "lineTo"](x, half - 42 * size * signal(x));
      pen.stroke();
    };
    pen.fillStyle = colour("--ground");
    pen.fillRect(0, 0, wide, 120);
    curve(0, wide / 2 - 15, 1, colour("--known"));
    curve(wide / 2 + 15, wide, pass, colour("--known"));
    pen.fillStyle = colour("--now");  // two jaws, open by the gate
    const gap = 46 * pass;
    pen.fillRect(wide / 2 - 5, 0, 10, half - gap);
    pen.fillRect(wide / 2 - 5, half + gap, 10, half - gap);
    pen.fillStyle = colour("--soft");
    pen.textAlign = "left";
    pen.fillText("the message", 6, 14);
    pen.textAlign = "right";
    pen.fillText("what goes on", wide - 6, 14);
    canvas.setAttribute("aria-label", `A wave passes a gate that lets ${Math.round(100 * pass)} per cent through`);
    find(this, "[name=gate]").setAttribute("aria-valuetext", `${Math.round(100 * pass)} per cent open`);
    const fog = colour("--fog").replace("1)", `${(1 - pass).toFixed(3)})`);  // what the gate holds back
    const {size, place: [row, column]} = story.fields;
    easel({pixels: story.picture.pixels, drawn: row * size + column, veil: () => fog, frame: [row, column]},
      "The picture so far, fading as the gate is shut.");
    sourceOfPicture();
    say(`The gate lets <b>${Math.round(100 * pass)} %</b> of the message through.`);
  },
  enter() { this.press(); this.show(); },
  leave() { halt("peek"); },
};
