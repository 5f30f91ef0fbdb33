// The look follows the device where nobody chose one. Everything works without this file.
(function () {
  "use strict";
  var root = document.documentElement;
  if (root.getAttribute("data-lp-theme") !== "auto" || !window.matchMedia) return;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function apply() { root.setAttribute("data-bs-theme", dark.matches ? "dark" : "light"); }
  apply();
  dark.addEventListener("change", apply);
})();
