// Steps 6, 7 and 8: the same noise with another class; a chain of sizes; a face.

function pictureButton(pixels, size, words, label, act) {  // a small picture to press
  const button = document.createElement("button"), canvas = document.createElement("canvas");
  button.type = "button";
  canvas.dataset.side = 56;
  canvas.setAttribute("aria-hidden", "true");
  button.append(canvas, Object.assign(document.createElement("span"), {textContent: words}));
  button.setAttribute("aria-label", label);
  button.onclick = act;
  button.repaint = () => paint(canvas, {pixels, size});
  return button;
}
const pressed = (box, number) => [...box.children].forEach((button, n) => button.setAttribute("aria-pressed", n === number));

steps.told = {
  model: 0,
  chosen: 0,
  setup() {
    on(this, "[data-model]", button => {
      [this.model, this.chosen] = [Number(button.dataset.model), 0];
      this.fill();
      this.enter();
    });
    this.fill();
  },
  fill() {
    const {names, pixels, size} = story.told[this.model];
    find(this, ".classes").classList.toggle("words", names.some(name => name.length > 5));
    find(this, ".classes").replaceChildren(...names.map((name, n) =>
      pictureButton(part(pixels, n, size), size, name, `Draw: ${name}`, () => this.take(n))));
    this.section.querySelectorAll("[data-model]").forEach(button => button.setAttribute("aria-pressed", Number(button.dataset.model) === this.model));
  },
  take(number) {
    const {names, pixels, size, smaller} = story.told[this.model], old = part(pixels, this.chosen, size), next = part(pixels, number, size);
    const sizes = Object.keys(smaller).map(Number), words = `The network's picture of “${names[number]}”.`;
    this.chosen = number;
    pressed(find(this, ".classes"), number);
    say(`The same throws, told “<b>${names[number]}</b>”.`);
    animate("told", sizes.length ? 1.2 : 0.7, share => {  // as it was drawn: row by row, or a small picture first
      const coarse = sizes[Math.floor(share * (sizes.length + 1))];
      if (coarse) { easel({pixels: part(smaller[coarse], number, coarse), size: coarse}, words); return; }
      if (sizes.length) { easel({pixels: next, size}, words); return; }
      const upto = Math.round(share * size * size), mixed = old.slice();
      mixed.set(next.subarray(0, 3 * upto));
      easel({pixels: mixed, size, frame: share < 1 ? [Math.floor(upto / size), upto % size] : null}, words);
    });
  },
  enter() {
    const {pixels, size, names, name, seed, number, chosen_from, guidance, temperature, min_p} = story.told[this.model];
    [...find(this, ".classes").children].forEach(button => button.repaint());
    pressed(find(this, ".classes"), this.chosen);
    easel({pixels: part(pixels, this.chosen, size), size}, `The network's picture of “${names[this.chosen]}”.`);
    source(`Drawn by a network.${chosen_from ? ` The throws were chosen by eye among ${chosen_from}.` : ""}`,
      `${name}; seed ${seed}, picture ${number}, temperature ${temperature}, guidance ${guidance}, min-p ${min_p}`);
    say(`Told “<b>${names[this.chosen]}</b>”. Tell it something else.`);
  },
  show() { this.enter(); },
  leave() { halt("told"); },
};

steps.chain = {
  chosen: 0,
  level: 0,
  setup() {
    const {sizes, count} = story.chain;
    on(this, "[data-do=sharpen]", () => this.play());
    find(this, ".people").replaceChildren(...Array.from({length: count}, (_, n) => pictureButton(
      part(story.chain.pixels[sizes[0]], n, sizes[0]), sizes[0], `${n + 1}`, `Picture ${n + 1}`, () => { this.chosen = n; this.fill(); this.play(); })));
    this.fill();
  },
  fill() {
    const {sizes, pixels} = story.chain;
    find(this, ".sizes").replaceChildren(...sizes.map((size, n) => pictureButton(part(pixels[size], this.chosen, size), size,
      `${size} × ${size}`, `Show ${size} by ${size} pixels`, () => { halt("chain"); this.level = n; this.show(); })));
    pressed(find(this, ".people"), this.chosen);
  },
  play() {  // every size in raster order, over the smaller picture enlarged
    const {sizes} = story.chain, all = sizes.reduce((sum, size) => sum + Math.sqrt(size), 0);
    this.level = 0;
    if (still.matches) { this.level = sizes.length - 1; this.show(); return; }
    this.show();
    animate("chain", 6, share => {
      let left = share * all, level = 0;
      while (level < sizes.length - 1 && left > Math.sqrt(sizes[level])) left -= Math.sqrt(sizes[level++]);
      if (level !== this.level) { this.level = level; this.tell(); }
      this.draw(Math.min(1, left / Math.sqrt(sizes[level]) * 1.15));
    }, () => this.show());
  },
  picture(level) { const size = story.chain.sizes[level]; return part(story.chain.pixels[size], this.chosen, size); },
  draw(share) {
    const {sizes} = story.chain, size = sizes[this.level], upto = Math.round(share * size * size), pixels = this.picture(this.level).slice();
    if (this.level) {
      const coarse = this.picture(this.level - 1), half = size / 2;
      for (let k = upto; k < size * size; k++) {
        const from = 3 * ((k / size >> 1) * half + (k % size >> 1));
        pixels.set(coarse.subarray(from, from + 3), 3 * k);
      }
    }
    easel({pixels, size, drawn: this.level ? size * size : upto, frame: share < 1 ? [Math.floor(upto / size), upto % size] : null},
      `A face of ${size} by ${size} pixels.`);
  },
  dress() {
    [...this.section.querySelectorAll(".sizes button, .people button")].forEach(button => button.repaint());
  },
  show() {
    this.dress();
    pressed(find(this, ".people"), this.chosen);
    this.draw(1);
    this.tell();
    const {told, seed, guidance, min_p} = story.chain.settings;
    source(`Drawn by networks${told ? `, told the face of ${told}` : ""}. Chosen by eye among ${story.faces.people[0].chosen_from}.`,
      `${story.chain.name}; seed ${seed}, guidance ${guidance}, min-p ${min_p}`);
  },
  tell() {  // the size that is on the canvas: its frame and its sentence
    const {sizes} = story.chain, size = sizes[this.level], all = sizes.at(-1) ** 2;
    pressed(find(this, ".sizes"), this.level);
    say(this.level ? `${size} × ${size}: ${(size * size).toLocaleString("en")} pixels, each drawn in sight of the whole smaller picture.`
      : `${size} × ${size}: <b>${size * size}</b> pixels, ${(100 * size * size / all).toFixed(1)} % of the last picture's, decide what it will be.`);
  },
  enter() { this.show(); },  // at first the coarse picture: Sharpen draws on
  leave() { halt("chain"); },
};

steps.face = {
  who: 0,
  portrait: 0,
  setup() {
    const {people} = story.faces;
    find(this, ".people").replaceChildren(...people.map(({name, crop}, n) =>
      pictureButton(crop, 64, name, `From the photo of ${name}`, () => { [this.who, this.portrait] = [n, 0]; this.fill(); this.show(); })));
    this.fill();
  },
  fill() {
    const {size, people} = story.faces, {portraits, count} = people[this.who];
    find(this, ".portraits-drawn").replaceChildren(...Array.from({length: count}, (_, n) => pictureButton(
      part(portraits, n, size), size, "", `Portrait ${n + 1}`, () => { this.portrait = n; this.show(); })));
  },
  show() {
    const {size, people, settings} = story.faces, {name, portraits, numbers, chosen_from} = people[this.who];
    [...this.section.querySelectorAll(".people button, .portraits-drawn button")].forEach(button => button.repaint());
    pressed(find(this, ".people"), this.who);
    pressed(find(this, ".portraits-drawn"), this.portrait);
    const canvas = find(this, ".vector"), [pen, wide] = sheet(canvas, 64), step = wide / numbers.length;
    const most = Math.max(...people.flatMap(one => one.numbers.map(Math.abs)));
    pen.fillStyle = colour("--ground");
    pen.fillRect(0, 0, wide, 64);
    numbers.forEach((value, k) => {
      pen.fillStyle = value > 0 ? colour("--known") : colour("--now");
      const tall = Math.abs(value) / most * 30;
      pen.fillRect(k * step, value > 0 ? 32 - tall : 32, Math.max(1, step - 0.6), tall);
    });
    canvas.setAttribute("aria-label", `${numbers.length} numbers that a face network makes of the photo of ${name}`);
    easel({pixels: part(portraits, this.portrait, size), size}, `A new portrait of ${name}, drawn by the network.`);
    source(`Drawn by networks. Chosen by eye among ${chosen_from}. Photo: ${name}, public domain.`,
      `${story.faces.name}; seed ${settings.seed}, guidance ${settings.guidance}, min-p ${settings.min_p}`);
    say(`Portrait ${this.portrait + 1}: not a photo. Told <b>${numbers.length} numbers</b> of ${name}'s face, it drew this.`);
  },
  enter() { this.show(); },
};
