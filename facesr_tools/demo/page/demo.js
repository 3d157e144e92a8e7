// A photograph, a square in it, and what each network makes of the square. All computing happens here.
// The networks' files hold the whole way from HR to LR, bicubic and SR, so that these equal Python's (facesr_tools/demo/export.py).
import * as ort from "./runtime/ort.wasm.min.mjs";

const LARGEST = 1024; // pixels: the longer side of a picture here; a larger one is reduced by the browser
const $ = (id) => document.getElementById(id);
const source = $("source");
const box = { x: 0, y: 0, side: 1 }; // in whole pixels of the picture
const methods = []; // the networks: their facts, session, card, and the pictures of the last square
let asked = 0; // counts the squares: an answer for an earlier one is dropped
let ready = false; // all networks are loaded

// --- Numbers: pictures are {size, pixels}, pixels as bytes R, G, B, row by row

function cubic(t) { // Keys' kernel with a = -0.5
  const x = Math.abs(t);
  if (x <= 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

// For each of `to` pixels, which of `from` pixels count and how much: MATLAB's imresize, as facesr_lib.image.resize_bicubic.
function weights(from, to) {
  const scale = to / from, stretch = Math.min(scale, 1), support = 4 / stretch;
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) / scale - 0.5, first = Math.floor(centre - support / 2);
    const taps = [];
    for (let at = first; at < first + Math.ceil(support) + 2; at++) {
      const weight = cubic(stretch * (centre - at));
      const place = ((at % (2 * from)) + 2 * from) % (2 * from); // the border is a mirror
      if (weight) taps.push([place < from ? place : 2 * from - 1 - place, weight]);
    }
    const sum = taps.reduce((total, [, weight]) => total + weight, 0);
    return taps.map(([place, weight]) => [place, weight / sum]);
  });
}

// The square of the picture as HR of `size` pixels, in float64 and rounded once, as facesr_lib.data.images.square.
function cut(size) {
  const { data } = source.getContext("2d").getImageData(box.x, box.y, box.side, box.side);
  const lines = weights(box.side, size), across = new Float64Array(box.side * size * 3);
  for (let y = 0; y < box.side; y++)
    for (let x = 0; x < size; x++)
      for (const [place, weight] of lines[x])
        for (let c = 0; c < 3; c++) across[(y * size + x) * 3 + c] += weight * data[(y * box.side + place) * 4 + c];
  const pixels = new Uint8ClampedArray(size * size * 3), line = new Float64Array(size * 3);
  for (let y = 0; y < size; y++) {
    line.fill(0);
    for (const [place, weight] of lines[y])
      for (let i = 0; i < line.length; i++) line[i] += weight * across[place * line.length + i];
    pixels.set(line, y * line.length); // clamps and rounds
  }
  return { size, pixels };
}

function toTensor({ size, pixels }) {
  const values = new Float32Array(pixels.length), area = size * size;
  for (let i = 0; i < area; i++) for (let c = 0; c < 3; c++) values[c * area + i] = pixels[i * 3 + c] / 255;
  return new ort.Tensor("float32", values, [1, 3, size, size]);
}

function fromTensor({ data, dims }) {
  const size = dims[3], area = size * size, pixels = new Uint8ClampedArray(3 * area);
  for (let i = 0; i < area; i++) for (let c = 0; c < 3; c++) pixels[i * 3 + c] = data[c * area + i] * 255;
  return { size, pixels };
}

function psnr(a, b) {
  let sum = 0;
  for (let i = 0; i < a.pixels.length; i++) sum += (a.pixels[i] - b.pixels[i]) ** 2;
  return 10 * Math.log10((255 ** 2 * a.pixels.length) / sum);
}

function draw(canvas, { size, pixels }) {
  canvas.width = canvas.height = size;
  const image = new ImageData(size, size);
  for (let i = 0; i < size * size; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[3 * i + c];
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

const decibels = (value) => (Number.isFinite(value) ? `${value.toFixed(2)} dB` : "equal");

// --- Methods

function element(tag, parent, text = "", name = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = name;
  parent.append(made);
  return made;
}

async function addMethod(facts) {
  const card = element("article", $("methods"), "", "card");
  card.id = facts.key;
  element("h3", card, `${facts.paper}, x${facts.scale}`);
  const pair = element("div", card, "", "pair"), lr = element("canvas", pair), sr = element("canvas", pair);
  for (const canvas of [lr, sr]) canvas.setAttribute("role", "img");
  const score = element("p", card, "", "psnr");
  const small = facts.size / facts.scale;
  element("p", card, `${small} x ${small} to ${facts.size} x ${facts.size} pixels. LR: ${facts.degradation}.`, "soft");
  element("p", card, facts.about, "soft");
  $("right").add(new Option(`${facts.paper}: ${facts.label}`, facts.key));
  const content = new Uint8Array(await (await fetch(facts.file)).arrayBuffer());
  const session = await ort.InferenceSession.create(content, { executionProviders: ["wasm"] });
  methods.push({ facts, session, canvases: { lr, sr }, score, shown: null });
}

async function run() {
  if (!ready) return;
  const mine = ++asked;
  $("status").textContent = "Computing.";
  for (const method of methods) {
    await new Promise((done) => setTimeout(done)); // lets the browser draw, and the square move
    if (mine !== asked) return;
    const hr = cut(method.facts.size);
    const made = await method.session.run({ hr: toTensor(hr) });
    if (mine !== asked) return;
    const shown = { hr, lr: fromTensor(made.lr), bicubic: fromTensor(made.bicubic), sr: fromTensor(made.sr) };
    const [own, plain] = [decibels(psnr(shown.sr, hr)), decibels(psnr(shown.bicubic, hr))];
    method.shown = shown;
    method.score.replaceChildren();
    element("strong", method.score, own, "own");
    method.score.append(" (bicubic: ");
    element("span", method.score, plain, "plain");
    method.score.append(")");
    draw(method.canvases.lr, shown.lr);
    draw(method.canvases.sr, shown.sr);
    method.canvases.lr.setAttribute("aria-label", `LR face of ${shown.lr.size} pixels`);
    method.canvases.sr.setAttribute("aria-label", `${method.facts.paper}: ${own}, bicubic ${plain}`);
    wipe();
  }
  $("status").textContent = `${methods.length} of ${methods.length} methods are done.`;
}

function wipe() {
  const method = methods.find(({ facts }) => facts.key === $("right").value), at = Number($("boundary").value);
  if (!method?.shown) return;
  const left = $("left").selectedOptions[0].text, right = method.facts.paper;
  draw($("below"), method.shown.sr);
  draw($("above"), method.shown[$("left").value]);
  $("above").style.clipPath = `inset(0 ${100 - at}% 0 0)`;
  $("wipe").style.setProperty("--at", `${at}%`);
  $("sides").textContent = `Left: ${left}. Right: ${right}.`;
  $("below").setAttribute("aria-label", `Left of the boundary ${left}, right of it ${right}`);
}

// --- Picture and square

let later = 0;
function moved() {
  const { width, height } = source, longest = Math.min(width, height);
  box.side = Math.round(Math.max(Math.min(16, longest), Math.min(box.side, longest)));
  box.x = Math.round(Math.max(0, Math.min(box.x, width - box.side)));
  box.y = Math.round(Math.max(0, Math.min(box.y, height - box.side)));
  Object.assign($("box").style, {
    left: `${(100 * box.x) / width}%`, top: `${(100 * box.y) / height}%`,
    width: `${(100 * box.side) / width}%`, height: `${(100 * box.side) / height}%`,
  });
  $("side").value = Math.round((100 * box.side) / longest);
  clearTimeout(later);
  later = setTimeout(() => run().catch(failed), 150);
}

function resize(side) { // around its centre
  const before = box.side;
  box.side = Math.max(16, Math.min(side, source.width, source.height));
  box.x += (before - box.side) / 2;
  box.y += (before - box.side) / 2;
  moved();
}

// square: where the face is, in pixels; left out, it is the largest one in the middle.
function show(picture, width, height, square) {
  $("problem").textContent = "";
  const factor = Math.min(1, LARGEST / Math.max(width, height));
  source.width = Math.max(1, Math.round(width * factor));
  source.height = Math.max(1, Math.round(height * factor));
  source.getContext("2d", { willReadFrequently: true }).drawImage(picture, 0, 0, source.width, source.height);
  const side = Math.min(source.width, source.height);
  Object.assign(box, square ?? { x: (source.width - side) / 2, y: (source.height - side) / 2, side });
  moved();
}

async function open(blob, square) {
  try {
    const bitmap = await createImageBitmap(blob);
    show(bitmap, bitmap.width, bitmap.height, square);
    bitmap.close();
  } catch {
    $("problem").textContent = "This file is no picture that the browser can read: choose a JPEG or PNG file.";
  }
}

function failed(error) {
  $("problem").textContent = `Something went wrong: ${error.message}`;
}

// --- Camera

let stream = null;
async function startCamera() {
  let given;
  try {
    given = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
  } catch (error) {
    $("problem").textContent = `The camera cannot be used (${error.message}): choose a photograph.`;
    return;
  }
  stopCamera(); // pressed twice, it is given twice
  stream = given;
  $("live").hidden = false;
  $("video").srcObject = stream;
}

// Once for each camera, when its first picture has come: before, there is nothing to take.
function firstPicture() {
  $("shoot").disabled = false;
  $("shoot").focus();
}

function stopCamera() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  $("video").srcObject = null;
  $("shoot").disabled = true;
  $("live").hidden = true;
  $("camera").focus();
}

// --- What a reader does

const sample = async (facts) => open(await (await fetch(facts.file)).blob(), facts.square);

function listen(facts) {
  $("file").addEventListener("change", () => $("file").files[0] && open($("file").files[0]));
  $("sample").addEventListener("click", () => sample(facts.sample).catch(failed));
  $("camera").addEventListener("click", startCamera);
  $("video").addEventListener("loadeddata", firstPicture);
  $("stop").addEventListener("click", stopCamera);
  $("shoot").addEventListener("click", () => {
    show($("video"), $("video").videoWidth, $("video").videoHeight);
    stopCamera();
  });
  $("side").addEventListener("input", () => resize(($("side").value / 100) * Math.min(source.width, source.height)));
  for (const id of ["left", "right", "boundary"]) $(id).addEventListener("input", wipe);

  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  $("box").addEventListener("keydown", (event) => {
    const step = Math.max(1, Math.round(box.side / 50));
    if (steps[event.key]) {
      box.x += step * steps[event.key][0];
      box.y += step * steps[event.key][1];
      moved();
    } else if ("+=-".includes(event.key)) {
      resize(box.side + (event.key === "-" ? -2 : 2) * step);
    } else return;
    event.preventDefault();
  });
  drag($("box"), (event, start) => {
    const pixel = source.width / source.clientWidth;
    box.x = start.x + (event.clientX - start.clientX) * pixel;
    box.y = start.y + (event.clientY - start.clientY) * pixel;
    moved();
  });
  drag($("wipe"), (event) => {
    const { left, width } = $("wipe").getBoundingClientRect();
    $("boundary").value = (100 * (event.clientX - left)) / width;
    wipe();
  });
}

function drag(target, move) {
  let start = null;
  target.addEventListener("pointerdown", (event) => {
    start = { ...box, clientX: event.clientX, clientY: event.clientY };
    target.setPointerCapture(event.pointerId);
    move(event, start);
  });
  target.addEventListener("pointermove", (event) => start && move(event, start));
  for (const end of ["pointerup", "pointercancel"]) target.addEventListener(end, () => (start = null));
}

async function main() {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = new URL("./runtime/", import.meta.url).href;
  const facts = await (await fetch("networks.json")).json();
  $("credits").textContent = `Sample picture: ${facts.sample.credit}. The networks run with ${facts.runtime} (Microsoft, MIT licence).`;
  listen(facts);
  await sample(facts.sample);
  for (const network of facts.networks) {
    $("status").textContent = `Loading ${network.paper}.`;
    await addMethod(network);
  }
  ready = true;
  await run();
}

main().catch(failed);
