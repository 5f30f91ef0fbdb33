// The tour over real pages: a box beside what it speaks of. It can be left at any time and goes on where it was left.
(function () {
  "use strict";
  var Lipei = window.Lipei;
  var make = Lipei.make;
  var KEY = "lipei-tour";
  var GAP = 14;
  var me = Lipei.data.me;
  var asked = null;
  var box = null;
  var target = null;

  function read() {
    try {
      var found = JSON.parse(Lipei.stored(KEY) || "null");
      if (found && found.me === me) return found;
    } catch (error) { /* somebody else's value */ }
    return { me: me, at: 0, on: false };
  }
  function write(state) { Lipei.store(KEY, JSON.stringify(state)); }

  function known() {
    asked = asked || fetch(Lipei.data.tour, { headers: { Accept: "application/json" } }).then(function (answer) { return answer.json(); });
    return asked;
  }

  function clear() {
    if (box) box.remove();
    if (target) target.classList.remove("lp-tour-target");
    box = target = null;
  }

  function leave(at) {
    clear();
    write({ me: me, at: at, on: false });
    var heading = document.querySelector("main");
    if (heading) heading.focus({ preventScroll: true });
  }

  function go(tour, at) {
    if (at >= tour.steps.length) { leave(0); return; }
    write({ me: me, at: at, on: true });
    var there = new URL(tour.steps[at].href, window.location.href);
    if (there.pathname !== window.location.pathname) window.location.assign(there.href);
    else show(tour, at);
  }

  function found(selectors) {
    for (var i = 0; i < selectors.length; i += 1) {
      var element = document.querySelector(selectors[i]);
      if (!element || !element.getClientRects().length) continue;
      return element.tagName === "H2" ? element.closest("section, .lp-card") || element : element;
    }
    return null;
  }

  // Where the page begins below the bars that stay at the top.
  function top() {
    var head = document.querySelector(".lp-head-bar");
    var bar = document.querySelector(".lp-claim-bar");
    var end = head ? head.getBoundingClientRect().bottom : 0;
    if (bar && bar.getBoundingClientRect().top < end + GAP) end = Math.max(end, bar.getBoundingClientRect().bottom);
    return end + GAP;
  }

  // Beside its target, below or above it: never on it. Where a target fills the page, at the foot, and its beginning is seen.
  function place() {
    if (!box) return;
    var at = target ? target.getBoundingClientRect() : null;
    var height = box.offsetHeight;
    var width = box.offsetWidth;
    var view = { left: GAP, right: document.documentElement.clientWidth - GAP, top: top(), bottom: window.innerHeight - GAP };
    function within(value, least, most) { return Math.max(least, Math.min(value, most)); }
    var left = view.right - width;
    var y = view.bottom - height;
    if (at) {
      var beside = within(at.top, view.top, y);
      var under = within(at.left, view.left, left);
      var lower = Math.max(at.bottom + GAP, view.top);
      if (at.right + GAP <= left) { left = at.right + GAP; y = beside; }
      else if (at.left - GAP - width >= view.left) { left = at.left - GAP - width; y = beside; }
      else if (lower <= y) { left = under; y = lower; }
      else if (at.top - GAP - height >= view.top) { left = under; y = at.top - GAP - height; }
    }
    box.style.left = left + "px";
    box.style.top = y + "px";
  }

  function moved() { if (box) window.requestAnimationFrame(place); }
  document.addEventListener("scroll", moved, { capture: true, passive: true });
  window.addEventListener("resize", moved);

  function show(tour, at) {
    clear();
    var step = tour.steps[at];
    var words = tour.words;
    target = found(step.at);
    var total = tour.steps.length;
    var counted = words.step.replace("{n}", at + 1).replace("{total}", total);
    var back = make("button", { type: "button", class: "lp-button lp-button-quiet lp-button-small" }, words.back);
    var next = make("button", { type: "button", class: "lp-button lp-button-small" }, at + 1 === total ? words.done : words.next);
    var out = make("button", { type: "button", class: "lp-link" }, words.leave);
    back.disabled = at === 0;
    back.addEventListener("click", function () { go(tour, at - 1); });
    next.addEventListener("click", function () { go(tour, at + 1); });
    out.addEventListener("click", function () { leave(at); });
    box = make("section", { class: "lp-tour", role: "dialog", "aria-labelledby": "tour-head", "aria-describedby": "tour-words", tabindex: "-1" }, [
      make("p", { class: "lp-tour-head", id: "tour-head" }, [make("strong", {}, words.name), " · " + counted]),
      make("p", { id: "tour-words" }, step.words),
      make("p", { class: "lp-actions" }, [back, next, out]),
    ]);
    box.addEventListener("keydown", function (event) {
      if (event.key === "Escape") { event.preventDefault(); leave(at); }
      else if (event.key === "ArrowRight") { event.preventDefault(); go(tour, at + 1); }
      else if (event.key === "ArrowLeft" && at > 0) { event.preventDefault(); go(tour, at - 1); }
    });
    document.body.append(box);
    if (target) {
      target.classList.add("lp-tour-target");
      target.scrollIntoView({ block: "start", behavior: "instant" });
    }
    place();
    next.focus({ preventScroll: true });
  }

  Lipei.tour = {
    arrive: function () {
      var state = read();
      var start = document.querySelector("[data-tour-start]");
      if (start) {
        var button = start.querySelector("[data-tour-begin]");
        var words = button.querySelector("[data-begin]");
        if (state.at > 0) words.textContent = words.dataset.resume;
        start.hidden = false;
        button.addEventListener("click", function () { known().then(function (tour) { go(tour, Math.min(read().at, tour.steps.length - 1)); }); });
        if (state.on) write({ me: me, at: state.at, on: false });
        return;
      }
      known().then(function (tour) {
        var step = tour.steps[state.at];
        if (!step) { leave(0); return; }
        // Somebody who went elsewhere on their own has left the tour.
        if (new URL(step.href, window.location.href).pathname === window.location.pathname) show(tour, state.at);
        else leave(state.at);
      });
    },
  };
})();
