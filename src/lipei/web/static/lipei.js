// The look follows the device where nobody chose one, and a form is sent once. Everything works without this file.
(function () {
  "use strict";
  // A second press while the first is on its way sends nothing; coming back to the page frees the form again.
  document.addEventListener("submit", function (event) {
    if (event.target.method !== "post") return;
    if (event.target.hasAttribute("data-lp-sent")) event.preventDefault();
    else event.target.setAttribute("data-lp-sent", "");
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("[data-lp-sent]").forEach(function (form) { form.removeAttribute("data-lp-sent"); });
  });

  var root = document.documentElement;
  if (root.getAttribute("data-lp-theme") !== "auto" || !window.matchMedia) return;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function apply() { root.setAttribute("data-bs-theme", dark.matches ? "dark" : "light"); }
  apply();
  dark.addEventListener("change", apply);
})();
