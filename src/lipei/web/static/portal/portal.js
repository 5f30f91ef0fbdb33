// Keeps what is being written in this tab, says when there is no network, and starts the worker that opens the page in
// a dead spot. Everything works without this file.
(function () {
  "use strict";
  var worker = document.currentScript && document.currentScript.dataset.worker;
  var EARLY = "lipei|early";

  var kept = {
    get: function (key) { try { return JSON.parse(sessionStorage.getItem(key)) || {}; } catch (none) { return {}; } },
    set: function (key, value) { try { sessionStorage.setItem(key, JSON.stringify(value)); } catch (full) { /* it stays on the page */ } },
    drop: function (key) { try { sessionStorage.removeItem(key); } catch (none) { /* nothing was kept */ } },
    dropAll: function (start) {
      try { Object.keys(sessionStorage).forEach(function (key) { if (key.startsWith(start)) sessionStorage.removeItem(key); }); } catch (none) { /* nothing was kept */ }
    }
  };

  // Words that are being written outlast a reload, a page for a dead spot and a phone that closed the tab: in this tab
  // alone, and only until they are sent.
  function draft(form) {
    var key = "lipei|draft|" + (form.dataset.draft || form.getAttribute("action") || location.pathname), before = kept.get(key);
    var fields = Array.from(form.elements).filter(function (field) {
      return field.name && !/^(hidden|file|submit|button|radio|checkbox|password)$/.test(field.type) && !/code|account/.test(field.name);
    });
    var early = kept.get(EARLY).story;
    fields.forEach(function (field) {
      var words = before[field.name] || (field.name === "story" && early);
      if (words && !field.value) field.value = words;
    });
    form.addEventListener("input", function () {
      var now = {};
      fields.forEach(function (field) { if (field.value) now[field.name] = field.value; });
      kept.set(key, now);
    });
    form.addEventListener("lipei:sent", function () { kept.drop(key); kept.drop(EARLY); });
  }

  // A page that thanks for what was sent makes its draft superfluous.
  function sent() {
    if (document.querySelector(".lp-message-success, .po-done")) { kept.dropAll("lipei|draft|"); kept.drop(EARLY); }
  }

  function early(place) {
    var field = place.querySelector("textarea"), before = kept.get(EARLY).story;
    if (before) field.value = before;
    field.addEventListener("input", function () { kept.set(EARLY, { story: field.value }); });
  }

  function network() {
    var note = document.querySelector(".po-away");
    if (note) note.hidden = navigator.onLine !== false;
  }

  sent();
  document.querySelectorAll("form[data-draft]").forEach(draft);
  document.querySelectorAll("form[data-leave]").forEach(function (form) { form.addEventListener("submit", function () { kept.dropAll("lipei|"); }); });
  document.querySelectorAll("[data-early]").forEach(early);
  document.querySelectorAll("[data-again]").forEach(function (button) {
    button.addEventListener("click", function () { location.assign(location.pathname.startsWith("/offline/") ? "/" : location.href); });
  });
  window.addEventListener("online", network);
  window.addEventListener("offline", network);
  network();

  if (!worker || !navigator.serviceWorker) return;
  navigator.serviceWorker.register(worker, { scope: "/" }).then(function () { return navigator.serviceWorker.ready; }).then(function (ready) {
    if (ready.active) ready.active.postMessage({ language: document.documentElement.lang });
  }).catch(function () { /* without it the pages work as ever, but for dead spots */ });
})();
