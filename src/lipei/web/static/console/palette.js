// The command palette: claims by number, name, plate, phone or policy; what can be done on the claim that is open; pages.
(function () {
  "use strict";
  var Lipei = window.Lipei;
  var make = Lipei.make;
  var WAIT_MS = 120;
  var dialog = null;

  function fits(label, words) {
    label = label.toLowerCase();
    return words.every(function (word) { return label.indexOf(word) >= 0; });
  }

  function build(known) {
    var words = known.words;
    var options = [];
    var chosen = -1;
    var asked = 0;
    var timer = 0;
    var claims = [];
    var claimsOf = "";

    var list = make("div", { id: "palette-list", role: "listbox", "aria-label": words.palette });
    var status = make("p", { class: "lp-only-read", role: "status" });
    var input = make("input", {
      type: "search", role: "combobox", id: "palette-input", "aria-expanded": "true", "aria-controls": "palette-list",
      "aria-autocomplete": "list", "aria-label": words.palette, placeholder: words.hint, autocomplete: "off", spellcheck: "false", maxlength: "80",
    });

    function choose(index) {
      if (chosen >= 0 && options[chosen]) options[chosen].setAttribute("aria-selected", "false");
      chosen = options.length ? (index + options.length) % options.length : -1;
      if (chosen < 0) { input.removeAttribute("aria-activedescendant"); return; }
      options[chosen].setAttribute("aria-selected", "true");
      options[chosen].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", options[chosen].id);
    }

    function run() {
      if (chosen < 0) return;
      var href = options[chosen].dataset.href;
      dialog.lower();
      if (href === "?") Lipei.help();
      else window.location.assign(href);
    }

    function group(title, rows) {
      if (!rows.length) return;
      var head = make("p", { role: "presentation", class: "lp-palette-head" }, title);
      list.append(make("div", { role: "group", "aria-label": title }, [head].concat(rows.map(function (row) {
        var inside = [make("span", {}, row.label)];
        if (row.hint) inside.push(make("small", {}, row.hint));
        if (row.key) inside.push(make("kbd", {}, "g " + row.key));
        var option = make("div", { role: "option", id: "palette-" + options.length, "aria-selected": "false" }, inside);
        option.dataset.href = row.href;
        var index = options.length;
        option.addEventListener("pointermove", function () { if (chosen !== index) choose(index); });
        option.addEventListener("click", function () { choose(index); run(); });
        options.push(option);
        return option;
      }))));
    }

    function draw() {
      var typed = input.value.trim();
      var parts = typed.toLowerCase().split(/\s+/).filter(Boolean);
      list.replaceChildren();
      options = [];
      chosen = -1;
      group(words.claims, typed && claimsOf === typed ? claims : []);
      group(words.actions.replace("{number}", known.claim), known.actions.filter(function (row) { return fits(row.label, parts); }));
      group(words.pages, known.pages.concat([{ label: words.keys, href: "?" }]).filter(function (row) { return fits(row.label, parts); }));
      choose(0);
      var waiting = typed && known.finds && claimsOf !== typed;
      if (!options.length && !waiting) list.append(make("p", { class: "lp-palette-none", role: "presentation" }, words.nothing));
      status.textContent = waiting ? "" : words.found.replace("{n}", options.length);
    }

    function ask() {
      var typed = input.value.trim();
      if (!typed || !known.finds) { claims = []; claimsOf = ""; return; }
      asked += 1;
      var mine = asked;
      fetch(Lipei.data.palette + "?q=" + encodeURIComponent(typed), { headers: { Accept: "application/json" } })
        .then(function (answer) { return answer.ok ? answer.json() : { claims: [] }; })
        .catch(function () { return { claims: [] }; })
        .then(function (answer) {
          if (mine !== asked) return;
          claims = answer.claims;
          claimsOf = typed;
          draw();
          if (eager) { eager = false; run(); }
        });
    }

    var eager = false;  // Enter pressed before the answer was there: the first claim it brings is opened
    input.addEventListener("input", function () {
      eager = false;
      draw();
      window.clearTimeout(timer);
      timer = window.setTimeout(ask, WAIT_MS);
    });
    input.addEventListener("keydown", function (event) {
      if (event.isComposing) return;
      if (event.key === "ArrowDown") { event.preventDefault(); choose(chosen + 1); }
      else if (event.key === "ArrowUp") { event.preventDefault(); choose(chosen - 1); }
      else if (event.key === "Enter") {
        event.preventDefault();
        var typed = input.value.trim();
        if (typed && known.finds && claimsOf !== typed && chosen <= 0) eager = true;
        else run();
      }
    });
    dialog = Lipei.raise({ class: "lp-palette", "aria-label": words.palette }, [input, list, make("p", { class: "lp-palette-foot" }, words.foot), status]);
    dialog.addEventListener("lower", function () { dialog = null; });
    draw();
    input.focus();
  }

  Lipei.palette = {
    open: function () {
      if (Lipei.raised()) return;
      Lipei.facts().then(function (known) { if (!Lipei.raised()) build(known); });
    },
  };
})();
