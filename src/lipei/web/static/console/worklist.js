// The lists: keys, a selection that outlives the page, and rows that stay up to date without anybody losing their place.
// Everything can be done without this file: rows are links and forms, and "refresh" is a link.
(function () {
  "use strict";
  var box = document.getElementById("rows");
  var store = "lipei-selected";
  function kept() { try { return JSON.parse(sessionStorage.getItem(store)) || []; } catch (e) { return []; } }
  function keep(list) { try { sessionStorage.setItem(store, JSON.stringify(list)); } catch (e) { /* not remembered */ } }
  if (document.querySelector("[data-settled]")) {  // done with: nothing stays selected, in whichever list it was
    ["worklist", "claims", "team"].forEach(function (list) { try { sessionStorage.removeItem(store + "-" + list); } catch (e) { /* none */ } });
  }
  if (!box) return;
  store += "-" + box.getAttribute("data-list");

  // --- the selection: numbers of claims, on this page or not -------------------------------------------------------
  var bulk = document.getElementById("several");
  var picked = bulk ? kept() : [];
  function rows() { return Array.prototype.slice.call(box.querySelectorAll("tr[data-row]")); }
  function number(row) { return row.getAttribute("data-row"); }
  function box_of(row) { return row.querySelector("input[name=claim]"); }
  function pick(name, on) {
    picked = picked.filter(function (n) { return n !== name; });
    if (on) picked.push(name);
    keep(picked);
    mark();
  }
  function mark() {
    if (!bulk) return;
    var here = rows();
    here.forEach(function (row) {
      var on = picked.indexOf(number(row)) >= 0;
      box_of(row).checked = on;
      row.toggleAttribute("data-picked", on);
    });
    var all = document.getElementById("pick-all");
    if (all) {
      var n = here.filter(function (row) { return box_of(row).checked; }).length;
      all.hidden = false;
      all.checked = n > 0 && n === here.length;
      all.indeterminate = n > 0 && n < here.length;
    }
    var said = document.getElementById("selected");
    said.textContent = said.getAttribute("data-said").replace("{n}", picked.length);
    bulk.toggleAttribute("data-some", picked.length > 0);
    bulk.toggleAttribute("data-none", picked.length === 0);
    document.getElementById("unselect").hidden = false;
  }
  if (bulk) {
    box.addEventListener("change", function (event) {
      if (event.target.id === "pick-all") {
        var on = event.target.checked;
        rows().forEach(function (row) { pick(number(row), on); });
      } else if (event.target.name === "claim") pick(event.target.value, event.target.checked);
    });
    document.getElementById("unselect").addEventListener("click", function () { picked = []; keep(picked); mark(); });
    bulk.addEventListener("submit", function () {
      bulk.querySelectorAll("input[data-elsewhere]").forEach(function (old) { old.remove(); });
      var here = rows().map(number);
      picked.forEach(function (name) {
        if (here.indexOf(name) >= 0) return;
        var input = document.createElement("input");
        input.type = "hidden"; input.name = "claim"; input.value = name;
        input.setAttribute("data-elsewhere", "");
        bulk.appendChild(input);
      });
    });
    window.addEventListener("pageshow", function () { picked = kept(); mark(); });
    mark();
  }

  // --- keys: j and k walk, x selects, o opens (so does Enter: the link has the focus), . takes the row's next step ----
  var at = "";
  function go(row) {
    rows().forEach(function (other) { other.toggleAttribute("data-here", other === row); });
    at = row ? number(row) : "";
  }
  function current() { return rows().filter(function (row) { return number(row) === at; })[0]; }
  function step(by) {
    var all = rows();
    if (!all.length) return;
    var n = all.indexOf(current()) + by;
    var row = all[Math.max(0, Math.min(all.length - 1, n < 0 ? 0 : n))];
    go(row);
    row.querySelector("[data-open]").focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
  box.addEventListener("focusin", function (event) {
    var row = event.target.closest("tr[data-row]");
    if (row) go(row);
  });
  var acts = {
    j: function () { step(1); },
    k: function () { step(-1); },
    o: function () { var row = current(); if (row) row.querySelector("[data-open]").click(); },
    x: function () { var row = current(); if (row && bulk) pick(number(row), !box_of(row).checked); },
    ".": function () { var row = current(), to = row && row.querySelector("[data-step]"); if (to) to.click(); }
  };
  document.querySelectorAll("#keys [data-key]").forEach(function (key) {  // keys.js presses what is named there
    key.addEventListener("click", function () { acts[key.getAttribute("data-key")](); });
  });

  // --- staying up to date: ask every twenty seconds, and change something only where something changed ---------------
  var every = 20000, waiting = 0, pressed = false, asking = false;
  function part() { return box.firstElementChild; }
  function anchor() {  // the row somebody is at, else the first in sight, and where it stands
    function seen(row) { var r = row.getBoundingClientRect(); return r.bottom > 60 && r.top < window.innerHeight; }
    var mine = current();
    var found = mine && seen(mine) ? mine : rows().filter(seen)[0];
    return found && { name: number(found), top: found.getBoundingClientRect().top };
  }
  function focused() {
    var row = document.activeElement.closest && document.activeElement.closest("#rows tr[data-row]");
    if (!row) return null;
    var inside = Array.prototype.slice.call(row.querySelectorAll("a, button, input"));
    return { name: number(row), n: inside.indexOf(document.activeElement), place: rows().indexOf(row) };
  }
  function by_name(name) { return rows().filter(function (row) { return number(row) === name; })[0]; }
  function put(html) {
    var before = rows().map(number), place = anchor(), focus = focused();
    var fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-mark]");
    if (!fresh) return;
    part().replaceWith(document.importNode(fresh, true));
    if (at) go(by_name(at));
    mark();
    if (focus) {
      var row = by_name(focus.name) || rows()[Math.min(focus.place, rows().length - 1)];
      var to = row && (row.querySelectorAll("a, button, input")[by_name(focus.name) ? focus.n : -1] || row.querySelector("[data-open]"));
      if (to) to.focus({ preventScroll: true });
    }
    var same = place && by_name(place.name);
    if (same) window.scrollBy({ top: same.getBoundingClientRect().top - place.top, behavior: "instant" });
    var live = document.getElementById("live");
    var more = rows().filter(function (row) { return before.indexOf(number(row)) < 0; }).length;
    live.textContent = more ? live.getAttribute("data-arrived").replace("{n}", more) : live.getAttribute("data-updated");
  }
  function lost(is) { document.getElementById("lost").hidden = !is; }
  function ask() {
    clearTimeout(waiting);
    waiting = setTimeout(ask, every);
    if (document.hidden || pressed || asking) return;
    asking = true;
    fetch(part().getAttribute("data-same"), {
      headers: { "HX-Request": "true", "Lipei-Poll": "1", "If-None-Match": part().getAttribute("data-mark") },
      credentials: "same-origin", cache: "no-store", redirect: "manual"
    }).then(function (answer) {
      lost(!answer.ok && answer.status !== 304);
      return answer.ok ? answer.text() : "";
    }).then(function (html) { if (html && !pressed) put(html); })
      .catch(function () { lost(true); })
      .then(function () { asking = false; });
  }
  document.addEventListener("pointerdown", function () { pressed = true; });
  ["pointerup", "pointercancel"].forEach(function (name) {
    document.addEventListener(name, function () { setTimeout(function () { pressed = false; }, 0); });
  });
  document.addEventListener("visibilitychange", function () { if (!document.hidden) ask(); });
  waiting = setTimeout(ask, every);
  window.lipeiWorklist = { ask: ask };

  // --- addresses without empty fields ------------------------------------------------------------------------------
  document.querySelectorAll("form[data-tidy]").forEach(function (form) {
    form.addEventListener("submit", function () {
      form.querySelectorAll("input, select").forEach(function (field) { if (!field.value) field.disabled = true; });
    });
    window.addEventListener("pageshow", function () {
      form.querySelectorAll(":disabled").forEach(function (field) { field.disabled = false; });
    });
  });
})();
