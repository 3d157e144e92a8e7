// The page of seeds: shows what the judge said of the ticked seeds. Everything is looked up; nothing is computed here.
const form = document.querySelector(".seed-choice");
const choices = JSON.parse(document.getElementById("seed-choices").textContent);
const boxes = [...form.querySelectorAll("[name=seed]")];
const status = form.querySelector("[role=status]");

function line(element, x1, x2) {
  element.setAttribute("visibility", x1 === null || x2 === null ? "hidden" : "visible");
  element.setAttribute("x1", x1 ?? 0);
  element.setAttribute("x2", x2 ?? 0);
}

function draw(row, shown, seeds) {
  const [text, effect, low, high] = shown ?? ["not run", null, null, null];
  row.querySelector("span.effect").textContent = text;
  line(row.querySelector("line.interval"), low, high);
  line(row.querySelector("line.effect"), effect, effect);
  for (const dot of row.querySelectorAll("circle")) dot.classList.toggle("off", !seeds.includes(dot.dataset.seed));
}

function show() {
  const seeds = boxes.filter(box => box.checked).map(box => box.value);
  if (!seeds.length) {
    status.textContent = "Tick at least one seed.";
    return;
  }
  let changed = 0;
  for (const claim of document.querySelectorAll("tbody[data-claim]")) {
    const [verdict, words, other, rows] = choices[claim.dataset.claim][seeds.join(",")];
    const chip = claim.querySelector(".verdict");
    chip.className = `verdict ${verdict.replaceAll(" ", "-")}`;
    chip.textContent = words;
    claim.classList.toggle("changed", Boolean(other));
    changed += other;
    claim.querySelectorAll("tr").forEach((row, number) => draw(row, rows[number], seeds));
  }
  const all = seeds.length === boxes.length;
  const total = Object.keys(choices).length;
  status.textContent = all ? "All seeds are chosen." : `${changed} of ${total} verdicts differ from those of all seeds, and are outlined.`;
}

function narrow() {
  const only = form.querySelector("[name=unstable]").checked;
  for (const claim of document.querySelectorAll("tbody.stable")) claim.hidden = only;
}

form.hidden = false;
form.addEventListener("submit", event => event.preventDefault());
form.addEventListener("change", () => { show(); narrow(); });
show(); // a browser that went back may have kept the ticks
narrow();
