// Claims given to a colleague: dragged onto their row, or by the key that leads to the list of people. Both only fill the
// form below the claims, which works without this file: nothing happens before its preview was seen.
(function () {
  "use strict";
  var rows = document.getElementById("rows"), form = document.getElementById("several"), to = document.getElementById("to");
  var key = document.querySelector("#team-keys [data-key]");
  if (!rows || !form || !to) return;
  function box(row) { return row.querySelector("input[name=claim]"); }
  function pick(row) {
    if (!row || box(row).checked) return;
    box(row).checked = true;
    box(row).dispatchEvent(new Event("change", { bubbles: true }));  // worklist.js keeps the selection
  }
  function give(person) { to.value = person; form.requestSubmit(); }

  // by key: without a selection, the claim one is at
  key.addEventListener("click", function () {
    if (!rows.querySelector("tr[data-picked]")) pick(rows.querySelector("tr[data-here]") || rows.querySelector("tr[data-row]"));
    to.focus();
  });
  to.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && to.value) { event.preventDefault(); give(to.value); }
  });

  // by mouse: a row is dragged with all that is selected
  rows.setAttribute("data-drags", "");
  rows.addEventListener("pointerdown", function (event) {
    var row = event.target.closest("tr[data-row]");
    if (row) row.draggable = event.pointerType === "mouse" && !event.target.closest("input, button");
  });
  rows.addEventListener("dragstart", function (event) {
    var row = event.target.closest("tr[data-row]");
    if (!row) return;
    pick(row);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", row.getAttribute("data-row"));
    row.setAttribute("data-dragged", "");
    setTimeout(function () { document.body.setAttribute("data-dragging", ""); }, 0);  // the people come into sight
  });
  rows.addEventListener("dragend", function () {
    document.body.removeAttribute("data-dragging");
    document.querySelectorAll("[data-dragged], [data-over]").forEach(function (one) {
      one.removeAttribute("data-dragged");
      one.removeAttribute("data-over");
    });
  });
  document.querySelectorAll("tr[data-person]").forEach(function (person) {
    person.querySelector("th").setAttribute("data-said", person.getAttribute("data-drop"));
    function drags() { return !!rows.querySelector("[data-dragged]"); }
    person.addEventListener("dragover", function (event) {
      if (!drags()) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "move";
      person.setAttribute("data-over", "");
    });
    person.addEventListener("dragleave", function (event) {
      if (!person.contains(event.relatedTarget)) person.removeAttribute("data-over");
    });
    person.addEventListener("drop", function (event) {
      if (!drags()) return;
      event.preventDefault();
      give(person.getAttribute("data-person"));
    });
  });
})();
