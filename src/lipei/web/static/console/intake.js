// What the story suggests and what is on file is filled in by one press, without leaving the page; what need not be asked
// goes out of the way. Without this file the same buttons send the form and come back with it.
(function () {
  "use strict";
  var form = document.querySelector("[data-intake]");
  var found = document.getElementById("found");

  function fill(name, value) {
    var field = document.getElementById("f-" + name);
    if (!field) return null;
    if (field.type === "checkbox") field.checked = value === "yes";
    else field.value = value;
    var folded = field.closest("details");
    if (folded) folded.open = true;
    return field;
  }

  // Of a line that is known only its own kinds of loss and covers are to choose from; what was chosen stays.
  var by_line = form ? JSON.parse(form.dataset.byLine) : {};
  function narrow() {
    var known = found.querySelector("[data-line]");
    var line = document.getElementById("f-line").value || (known ? known.dataset.line : "");
    Object.keys(by_line).forEach(function (name) {
      form.querySelectorAll('select[name="' + name + '"], select[name$="-' + name + '"]').forEach(function (select) {
        select.all = select.all || Array.from(select.options);
        var own = by_line[name][line];
        var chosen = select.value;
        select.replaceChildren.apply(select, select.all.filter(function (option) {
          return !own || !own.length || !option.value || option.value === chosen || own.indexOf(option.value) >= 0;
        }));
        select.value = chosen;
      });
    });
  }

  function put_away() {
    var known = found.querySelector("[data-known]");
    var names = known ? known.dataset.known.trim().split(/\s+/) : [];
    form.querySelectorAll("[data-field]").forEach(function (box) {
      var input = box.querySelector("input, select, textarea");
      var away = names.indexOf(box.dataset.field) >= 0 && !(input && input.type !== "checkbox" && input.value.trim());
      if (!box.contains(document.activeElement)) box.hidden = away;
    });
  }

  if (form && found) {
    var refocus = false;
    form.addEventListener("click", function (event) {
      var button = event.target.closest("[data-fill]");
      if (!button || !window.htmx) return;
      event.preventDefault();
      var last = null;
      new URLSearchParams(button.dataset.fill).forEach(function (value, name) { last = fill(name, value) || last; });
      if (!last) return;
      narrow();
      var row = button.closest("li");
      var next = row && row.nextElementSibling && row.nextElementSibling.querySelector("button");
      if (row && button.classList.contains("lp-hint")) row.remove();
      refocus = true;
      (next || document.getElementById("f-phone")).focus();
      document.getElementById("f-story").dispatchEvent(new Event("input", { bubbles: true }));
    });
    document.body.addEventListener("htmx:beforeSwap", function (event) {
      if (event.detail.target === found) refocus = refocus || found.contains(document.activeElement);
    });
    document.body.addEventListener("htmx:afterSettle", function (event) {
      if (event.detail.target !== found) return;
      put_away();
      narrow();
      if (refocus && (document.activeElement === document.body || !document.activeElement)) {
        (found.querySelector("button") || document.getElementById("f-phone")).focus();
      }
      refocus = false;
    });
    document.getElementById("f-line").addEventListener("change", narrow);
    narrow();
    var look = form.querySelector("[data-look-up]");
    if (look && window.htmx) look.hidden = true;
    var story = document.getElementById("f-story");
    if (story && !story.value) story.focus({ preventScroll: true });
  }

  // The receipt: whether the message has arrived, while the customer is still there.
  var sent = document.getElementById("sent");
  var left = 20;
  function again() {
    if (!sent || left <= 0 || !/queued|sending|asking/.test(sent.dataset.sent)) return;
    left -= 1;
    window.setTimeout(function () {
      fetch(window.location.href).then(function (answer) { return answer.text(); }).then(function (text) {
        var fresh = new DOMParser().parseFromString(text, "text/html").getElementById("sent");
        if (fresh) { sent.replaceWith(fresh); sent = fresh; }
        again();
      }).catch(again);
    }, 3000);
  }
  again();
})();
