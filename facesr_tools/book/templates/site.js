// Search, buttons that copy programs, and boxes that scroll by keyboard. Without this script all pages read the same.
"use strict";
(() => {
  const form = document.querySelector(".search");
  const input = document.getElementById("search");
  const list = document.getElementById("results");
  const status = document.getElementById("found");

  // The index is a script of its own, loaded when somebody wants to search.
  let loading;
  const load = () => (loading ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = "search-index.js";
    script.onload = () => done(window.facesrIndex.map((entry) => ({
      ...entry,
      heading: `${entry.p} ${entry.s}`.toLowerCase(),
      text: entry.t.toLowerCase(),
    })));
    script.onerror = failed;
    document.head.append(script);
  }));

  const find = (index, words) => index
    .filter((entry) => words.every((word) => entry.heading.includes(word) || entry.text.includes(word)))
    .map((entry) => ({ entry, points: words.filter((word) => entry.heading.includes(word)).length }))
    .sort((a, b) => b.points - a.points)
    .map(({ entry }) => entry);

  // The text around the first word, with every word marked.
  const excerpt = (entry, words) => {
    const at = Math.min(...words.map((word) => entry.text.indexOf(word)).filter((place) => place >= 0));
    const start = at === Infinity || at < 40 ? 0 : entry.t.lastIndexOf(" ", at - 40) + 1;
    const shown = entry.t.slice(start, start + 160);
    const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
    const line = document.createElement("span");
    line.append(start > 0 ? "…" : "");
    shown.split(new RegExp(`(${escaped})`, "gi")).forEach((part, number) => {
      line.append(number % 2 ? Object.assign(document.createElement("mark"), { textContent: part }) : part);
    });
    return line;
  };

  const show = async () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.join("").length < 2) {
      list.hidden = true;
      status.textContent = "";
      return;
    }
    const typed = input.value;
    const found = find(await load(), words);
    if (input.value !== typed) return; // an older question
    list.replaceChildren(...found.slice(0, 20).map((entry) => {
      const link = Object.assign(document.createElement("a"), { href: entry.u });
      const title = Object.assign(document.createElement("strong"), { textContent: entry.s || entry.p });
      const page = Object.assign(document.createElement("small"), { textContent: entry.s ? entry.p : "" });
      link.append(title, page, excerpt(entry, words));
      return link;
    }));
    status.textContent = found.length === 1 ? "1 section found" : `${found.length} sections found`;
    if (!found.length) list.textContent = "Nothing found";
    list.hidden = false;
  };

  form.hidden = false;
  input.addEventListener("focus", load, { once: true });
  input.addEventListener("input", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    list.querySelector("a")?.click();
  });
  form.addEventListener("keydown", (event) => {
    const links = [input, ...list.querySelectorAll("a")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !list.hidden) {
      event.preventDefault();
      links[(links.indexOf(document.activeElement) + step + links.length) % links.length].focus();
    } else if (event.key === "Escape") {
      list.hidden = true;
      input.focus();
    }
  });
  document.addEventListener("click", (event) => { if (!form.contains(event.target)) list.hidden = true; });
  list.addEventListener("click", () => { list.hidden = true; }); // the answer may be on this page

  if (navigator.clipboard) {
    for (const box of document.querySelectorAll(".code")) {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "Copy" });
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(box.querySelector("pre").textContent);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      });
      box.append(button);
    }
  }

  document.querySelector(".menu .wide [aria-current]")?.scrollIntoView({ block: "nearest" });
  for (const box of document.querySelectorAll(".scroll, pre")) {
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
  }
})();
