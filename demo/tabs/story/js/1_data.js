// The record: arrays that `pack.py` packed become typed arrays again, everything else stays as it is.

async function unpacked(packed) {
  const bytes = Uint8Array.from(atob(packed.data), letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const flat = new Uint8Array(await new Response(stream).arrayBuffer());
  for (let k = packed.stride; k < flat.length; k++) flat[k] += flat[k - packed.stride];  // modulo 256
  if (packed.bytes === 1) return flat;
  const half = flat.length / 2;
  return Uint16Array.from({length: half}, (_, k) => flat[k] | flat[half + k] << 8);
}

async function opened(node) {
  if (Array.isArray(node)) return Promise.all(node.map(opened));
  if (!node || typeof node !== "object") return node;
  if (node.data && node.stride) return unpacked(node);
  const pairs = await Promise.all(Object.entries(node).map(async ([key, part]) => [key, await opened(part)]));
  return Object.fromEntries(pairs);
}

const oneIn = p => p < 1e-4 ? "hardly ever" : p > 0.995 ? "nearly always" : p > 0.4 ? `${Math.round(100 * p)} in 100`
  : `1 in ${Math.round(1 / p).toLocaleString("en")}`;
const hex = ([r, g, b]) => "#" + [r, g, b].map(v => v.toString(16).padStart(2, "0")).join("");
const part = (pixels, number, size) => pixels.subarray(number * size * size * 3, (number + 1) * size * size * 3);
const still = matchMedia("(prefers-reduced-motion: reduce)");

// Calls `tick(share)` with a share that grows from 0 to 1 in `seconds`, then `done`; at once where motion is unwanted.
// A later call with the same name takes the place of an earlier one.
const running = {};
function animate(name, seconds, tick, done = () => {}) {
  cancelAnimationFrame(running[name]);
  if (still.matches || seconds <= 0) { tick(1); done(); return; }
  const start = performance.now();
  const step = now => {
    const share = Math.min(1, Math.max(0, now - start) / (1000 * seconds));
    tick(share);
    if (share < 1) running[name] = requestAnimationFrame(step);
    else done();
  };
  running[name] = requestAnimationFrame(step);
}
function halt(...names) { for (const name of names) cancelAnimationFrame(running[name]); }
