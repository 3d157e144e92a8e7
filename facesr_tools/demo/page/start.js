// A browser loads no module that lies on the disk; then this page says what to do, instead of staying silent.
if (location.protocol === "file:") {
  document.getElementById("status").textContent =
    "A browser runs the networks only from a server. Type: facesr demo, or in this folder: python -m http.server";
  for (const part of document.querySelectorAll("section")) part.hidden = !part.querySelector("#status");
} else {
  import("./demo.js");
}
