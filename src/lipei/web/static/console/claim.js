// The page of a claim at work: actions beside it, every why at one key, where one is, who else is there, photos large.
// Nothing here is needed: each link and form works as a page of its own.
(function () {
  "use strict";
  function $(selector, root) { return (root || document).querySelector(selector); }
  function all(selector, root) { return Array.prototype.slice.call((root || document).querySelectorAll(selector)); }
  function seen(element) { return element.offsetParent !== null; }

  // --- forms: where to begin, Ctrl+Enter sends, Enter goes on to the next row, ready words --------------------------
  var FIELDS = "input:not([type=hidden]):not([type=checkbox]), textarea, select, input[type=checkbox]";

  function begin(form) {
    var fields = all(FIELDS, form).filter(seen);
    var wrong = fields.filter(function (f) { return f.getAttribute("aria-invalid") === "true"; })[0];
    var empty = fields.filter(function (f) { return f.matches("select") || (f.type !== "checkbox" && !f.value); })[0];
    (wrong || empty || fields[0] || $(".lp-act-send", form)).focus();
  }

  document.addEventListener("keydown", function (event) {
    var form = event.target.closest && event.target.closest("form[data-act]");
    if (!form) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit($(".lp-act-send", form));
    } else if (event.key === "Enter" && !event.isComposing && event.target.matches(".lp-item input")) {
      event.preventDefault();
      var row = event.target.closest(".lp-item").nextElementSibling;
      var next = row && row.matches(".lp-item") ? all(FIELDS, row).filter(seen) : [];
      var empty = next.filter(function (f) { return !f.value; })[0];
      (empty || next[0] || $(".lp-act-send", form)).focus();
    } else if (event.altKey && /^Digit[1-9]$/.test(event.code)) {
      var ready = $("[data-digit='" + event.code.slice(5) + "']", form);
      if (ready) { event.preventDefault(); ready.click(); }
    }
  });

  // the key of the next step stands on its row, for its button may have a key of its own
  document.addEventListener("click", function (event) {
    if (!event.target.matches || !event.target.matches(".lp-next-first") || event.isTrusted) return;
    var step = $(".lp-button", event.target), asks = step.getAttribute("data-asks");
    if (!asks || !window.Lipei.press(asks)) step.click();
  });

  document.addEventListener("click", function (event) {
    var ready = event.target.closest && event.target.closest("a[data-fill]");
    if (!ready) return;
    event.preventDefault();
    var form = ready.closest("form");
    var field = form.elements[ready.getAttribute("data-fill")];
    all("a[data-fill]", form).forEach(function (a) { a.removeAttribute("aria-current"); });
    ready.setAttribute("aria-current", "true");
    field.focus();
    field.select();
    // as if it were typed: what stood there comes back with Ctrl+Z
    if (!document.execCommand("insertText", false, ready.getAttribute("data-words"))) field.value = ready.getAttribute("data-words");
  });

  all("main form[data-act]").filter(seen).slice(0, 1).forEach(begin);

  // --- an action beside the claim ------------------------------------------------------------------------------------
  var act = $("#act");
  var opener = null;

  function close() {
    if (!act || act.hidden) return;
    act.hidden = true;
    if (opener && document.contains(opener)) opener.focus();
  }

  if (act) {
    document.addEventListener("htmx:beforeRequest", function (event) {
      var link = event.detail.elt;
      if (event.detail.target !== act || link.matches("form")) return;
      opener = link.closest(".lp-menu") ? link.closest("details").querySelector("summary") : link;
      if (act.hidden && act.getAttribute("data-of") === link.getAttribute("href") && $("form", act)) {
        event.preventDefault();  // put aside and taken up again: what was typed is still there
        act.hidden = false;
        begin($("form", act));
      }
    });
    document.addEventListener("htmx:afterSwap", function (event) {
      if (event.detail.target !== act) return;
      var link = event.detail.requestConfig.elt;  // who asked: a form that comes back changed is still what it was of
      if (!link.matches("form")) act.setAttribute("data-of", link.getAttribute("href") || "");
      all("details.lp-more[open]").forEach(function (menu) { menu.open = false; });
      act.hidden = false;
      act.scrollTop = 0;
      act.classList.toggle("lp-drawer-wide", Boolean($(".lp-rows", act)));
      var form = $("form[data-act]", act);
      if (form) begin(form); else $("h2", act).focus();
    });
    act.addEventListener("click", function (event) {
      if (event.target.closest("[data-close]")) { event.preventDefault(); close(); }
    });
    document.addEventListener("keydown", function (event) {
      if (event.key === "Escape" && !act.hidden && !$("dialog[open]")) { event.preventDefault(); close(); }
    });
    // signed in again in another window meanwhile: the page's mark against forged requests is a new one
    document.addEventListener("htmx:configRequest", function (event) {
      var kept = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie);
      if (kept && event.detail.verb === "post") event.detail.parameters.csrfmiddlewaretoken = kept[1];
    });
    // it did not get through: the form stays with what was typed, and says so; without a form the page begins anew
    function told(name) {
      var note = $("#" + name), form = !act.hidden && $("form[data-act]", act);
      all("[data-trouble]").forEach(function (other) { other.hidden = true; });
      (form || $("#claim")).prepend(note);
      note.hidden = false;
      if (form) ($("a", note) || $(".lp-act-send", form)).focus(); else note.scrollIntoView({ block: "center" });
    }
    document.addEventListener("htmx:responseError", function (event) {
      var status = event.detail.xhr.status, form = !act.hidden && $("form[data-act]", act);
      if (form || status >= 500) told(status === 401 ? "signed-out" : "not-sent"); else location.reload();
    });
    document.addEventListener("htmx:sendError", function () { told("not-sent"); });
    document.addEventListener("htmx:beforeSwap", function (event) {
      if (event.detail.target === act && /^\s*<!doctype/i.test(event.detail.serverResponse)) {
        event.detail.shouldSwap = false;  // a page of its own, with its menu: no part to be shown beside the claim
        history.pushState(null, "", event.detail.xhr.responseURL);
        document.open();
        document.write(event.detail.serverResponse);
        document.close();
        return;
      }
      if (event.detail.target === act) all("[data-trouble]").forEach(function (note) { note.hidden = true; $("main").append(note); });
    });
  }

  // --- every why -----------------------------------------------------------------------------------------------------
  function whys() {
    var button = $("[data-whys]");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", function () {
      var open = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(open));
      all(".lp-claim .lp-why, .lp-claim [data-why-sum]").forEach(function (why) { why.open = open; });
    });
  }

  // --- where one is on the page --------------------------------------------------------------------------------------
  var watcher = null;

  function sections() {
    var bar = $("[data-sections]");
    if (!bar || !window.IntersectionObserver) return;
    if (watcher) watcher.disconnect();
    var links = all("a", bar);
    var near = new Set();
    watcher = new IntersectionObserver(function (entries) {
      entries.forEach(function (e) { if (e.isIntersecting) near.add(e.target.id); else near.delete(e.target.id); });
      var here = links.filter(function (a) { return near.has(a.hash.slice(1)); })[0];
      if (!here) return;
      links.forEach(function (a) { if (a === here) a.setAttribute("aria-current", "location"); else a.removeAttribute("aria-current"); });
      var box = bar.getBoundingClientRect(), at = here.getBoundingClientRect();
      if (at.left < box.left || at.right > box.right) bar.scrollLeft += at.left - box.left - 16;
    }, { rootMargin: "-100px 0px -55% 0px" });
    var beside = $("#claim").offsetWidth >= 58 * 16;
    links.forEach(function (a) {
      var head = document.getElementById(a.hash.slice(1));
      if (head && !(beside && head.closest(".lp-claim-side"))) watcher.observe(head);  // what is always in sight tells nothing
    });
  }

  // --- printing shows what is folded, but for explanations and what is past, of which its number is enough ------------
  var folded = [];
  window.addEventListener("beforeprint", function () {
    folded = all(".lp-claim details:not([open])").filter(function (d) { return !$("form", d) && !d.closest(".lp-more, .lp-why, [data-brief], [data-again]"); });
    folded.forEach(function (d) { d.open = true; });
  });
  window.addEventListener("afterprint", function () { folded.forEach(function (d) { d.open = false; }); });

  function printing() {
    all("[data-print]").forEach(function (button) {
      button.hidden = false;
      button.addEventListener("click", function () { window.print(); });
    });
  }

  // --- who else is here, and what changed ----------------------------------------------------------------------------
  var EVERY_MS = 20000, FIRST_MS = 2000;  // what the page itself needs goes first
  var last = "", beat = 0;

  function pulse() {
    var claim = $("#claim"), place = $("#pulse");
    if (!claim || !place || document.hidden) return;
    var where = claim.getAttribute("data-pulse") + "?seen=" + claim.getAttribute("data-version");
    fetch(where, { headers: { "HX-Request": "true", "Lipei-Poll": "1" }, credentials: "same-origin" }).then(function (answer) {
      if (answer.status === 401) clearInterval(beat);  // signed out: whoever comes back to the page asks again
      return answer.ok ? answer.text() : last;
    }).then(function (words) {
      return words.trim();
    }).then(function (words) {
      if (words === last && place.innerHTML) return;
      last = words;
      place.innerHTML = words;
      if (window.htmx) window.htmx.process(place);
    }).catch(function () { /* no network: the next time */ });
  }

  if ($("#claim")) {
    setTimeout(pulse, FIRST_MS);
    beat = setInterval(pulse, EVERY_MS);
    document.addEventListener("visibilitychange", pulse);
    // what changed was shown: a form that is being filled in stands on what is true now
    document.addEventListener("htmx:afterSettle", function () {
      var claim = $("#claim");
      if (!claim || claim.hasAttribute("data-ready")) return;
      last = "";
      all("#act input[name=seen_version]").forEach(function (f) { f.value = claim.getAttribute("data-version"); });
      ready();
      pulse();
    });
  }

  function ready() {
    var claim = $("#claim");
    if (claim) claim.setAttribute("data-ready", "");
    whys();
    sections();
    printing();
  }
  ready();

  // --- photos, large -------------------------------------------------------------------------------------------------
  var viewer = $("#viewer");
  if (!viewer || !viewer.showModal) return;
  var photos = [], at = 0, kept = -1, from = null;
  var views = {};  // index → { zoom, turn, x, y }

  function view(n) { return views[n] || (views[n] = { zoom: 1, turn: 0, x: 0, y: 0 }); }

  function draw(pane, n) {
    var photo = photos[n], image = $("img", pane), caption = $("figcaption", pane), v = view(n);
    if (image.getAttribute("src") !== photo.getAttribute("href")) image.src = photo.getAttribute("href");
    image.alt = photo.getAttribute("data-name");
    image.style.transform = "translate(" + v.x + "px," + v.y + "px) rotate(" + v.turn + "deg) scale(" + v.zoom + ")";
    caption.textContent = photo.getAttribute("data-name");
    var facts = $(".lp-file", photo.closest("li"));
    if (facts) caption.appendChild(facts.cloneNode(true));
    pane.setAttribute("data-at", n);
  }

  function show() {
    var two = kept >= 0 && photos.length > 1;
    $("[data-kept]", viewer).hidden = !two;
    $(".lp-viewer-panes", viewer).classList.toggle("lp-viewer-two", two);
    $("[data-do=compare]", viewer).setAttribute("aria-pressed", String(two));
    if (two) draw($("[data-kept]", viewer), kept);
    draw($("[data-shown]", viewer), at);
    $("[data-name]", viewer).textContent = (at + 1) + " / " + photos.length + " · " + photos[at].getAttribute("data-name");
    $("[data-file]", viewer).href = photos[at].getAttribute("href");
  }

  function step(by) {
    at = (at + by + photos.length) % photos.length;
    if (at === kept && photos.length > 1) at = (at + by + photos.length) % photos.length;
    show();
  }

  var DO = {
    previous: function () { step(-1); },
    next: function () { step(1); },
    "in": function () { var v = view(at); v.zoom = Math.min(8, v.zoom * 1.25); show(); },
    out: function () { var v = view(at); v.zoom = Math.max(1, v.zoom / 1.25); if (v.zoom === 1) { v.x = 0; v.y = 0; } show(); },
    turn: function () { var v = view(at); v.turn = (v.turn + 90) % 360; show(); },
    compare: function () { if (kept >= 0) kept = -1; else { kept = at; if (photos.length > 1) at = (at + 1) % photos.length; } show(); },
    close: function () { viewer.close(); }
  };
  var KEYS = { ArrowLeft: "previous", ArrowRight: "next", "+": "in", "=": "in", "-": "out", r: "turn", R: "turn", c: "compare", C: "compare" };

  document.addEventListener("click", function (event) {
    var photo = event.target.closest && event.target.closest("a[data-photo]");
    if (!photo || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    photos = all("a[data-photo]");
    at = photos.indexOf(photo);
    kept = -1;
    views = {};
    from = photo;
    viewer.showModal();  // keeps the focus inside, and Esc closes it
    show();
    $("[data-do=next]", viewer).focus();
  });
  viewer.addEventListener("close", function () {
    all("img", viewer).forEach(function (image) { image.removeAttribute("src"); });
    if (from && document.contains(from)) from.focus();
  });
  viewer.addEventListener("click", function (event) {
    var button = event.target.closest("[data-do]");
    if (button) DO[button.getAttribute("data-do")]();
  });
  viewer.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation();  // the page's own keys rest meanwhile
    if (KEYS[event.key]) { event.preventDefault(); DO[KEYS[event.key]](); }
  });
  all(".lp-viewer-hold", viewer).forEach(function (hold) {
    function mine() { return view(Number(hold.parentNode.getAttribute("data-at"))); }
    hold.addEventListener("wheel", function (event) {
      event.preventDefault();
      var v = mine();
      v.zoom = Math.min(8, Math.max(1, v.zoom * (event.deltaY < 0 ? 1.15 : 1 / 1.15)));
      show();
    }, { passive: false });
    var grabbed = null;
    hold.addEventListener("pointerdown", function (event) { grabbed = { x: event.clientX, y: event.clientY }; hold.setPointerCapture(event.pointerId); });
    hold.addEventListener("pointermove", function (event) {
      if (!grabbed) return;
      var v = mine();
      v.x += event.clientX - grabbed.x;
      v.y += event.clientY - grabbed.y;
      grabbed = { x: event.clientX, y: event.clientY };
      show();
    });
    hold.addEventListener("pointerup", function () { grabbed = null; });
  });
})();
