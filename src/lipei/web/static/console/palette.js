// The command palette: claims by number, name, plate, phone or policy; what can be done on the claim that is open, or on one
// that is asked for; what stands on this page; pages and rules; what the menu with one's name offers.
(function () {
  "use strict";
  var Lipei = window.Lipei;
  var make = Lipei.make;
  var WAIT_MS = 120;
  var dialog = null;

  function fits(words) {
    return function (row) {
      var said = (row.label + " " + (row.hint || "")).toLowerCase();
      return words.every(function (word) { return said.indexOf(word) >= 0; });
    };
  }
  function all(where) { return Array.prototype.slice.call(document.querySelectorAll(where)); }
  function called(element) { return element.dataset.keyLabel || element.getAttribute("aria-label") || element.textContent.trim(); }

  // What can be pressed on the page, by its key.
  function here() {
    return all("a[data-key], button[data-key], summary[data-key]").filter(function (one) {
      return one.getClientRects().length && !one.disabled;
    }).map(function (one) { return { label: called(one), key: one.dataset.key, press: one }; });
  }

  // What stands in the menu with the reader's name: language, look, account, sign-out.
  function mine() {
    return all(".lp-menu-mine a, .lp-menu-mine button").filter(function (one) { return !one.hidden && !one.hasAttribute("aria-current"); })
      .map(function (one) {
        var row = one.closest(".lp-menu-row");
        return { label: called(one), hint: row ? row.previousElementSibling.textContent : "", lang: one.lang, press: one };
      });
  }

  function asked(what) { return fetch(Lipei.data.palette + "?" + what, { headers: { Accept: "application/json" } })
    .then(function (answer) { if (!answer.ok) throw new Error(String(answer.status)); return answer.json(); }); }

  function build(known) {
    var words = known.words;
    var options = [];
    var shown = [];
    var chosen = -1;
    var turn = 0;
    var timer = 0;
    var claims = [];
    var claimsOf = "";
    var says = "";
    var step = null;  // chosen, and waits for its claim
    var ways = null;  // the claim was chosen: where the step can be taken on it
    var onPage = here().filter(function (row) { return !known.actions.some(function (one) { return one.label === row.label; }); });
    var ownMenu = mine();
    var goes = known.pages.map(function (row) { return { label: row.label, href: row.href, key: row.key && "g " + row.key }; });

    var list = make("div", { id: "palette-list", role: "listbox", "aria-label": words.palette });
    var empty = make("p", { class: "lp-palette-none", role: "status" });
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
      var row = shown[chosen];
      if (step && row.number) { on(row.number); return; }
      if (row.step && !row.href) { begin(row); return; }
      dialog.lower();
      if (row.press) { row.press.focus({ preventScroll: true }); row.press.click(); }
      else window.location.assign(row.href);
    }

    // A step without a claim asks on which; ``null`` goes back to where one chooses what to do.
    function begin(row) {
      step = row;
      ways = null;
      turn += 1;
      claimsOf = input.value = "";
      input.placeholder = row ? words.which_hint : words.hint;
      input.setAttribute("aria-label", row ? words.which.replace("{step}", row.label) : words.palette);
      draw();
    }

    function on(number) {
      turn += 1;
      var wanted = turn;
      asked("claim=" + encodeURIComponent(number)).then(function (answer) {
        if (wanted !== turn || !dialog) return;
        var rows = answer.actions.filter(function (one) { return one.step === step.step; });
        if (rows.length === 1) { dialog.lower(); window.location.assign(rows[0].href); return; }
        var page = { label: words.open.replace("{number}", number), href: Lipei.data.claims + encodeURIComponent(number) + "/" };
        ways = { title: (rows.length ? words.actions : words.not_now).replace("{number}", number), rows: rows.length ? rows : [page] };
        draw();
      }).catch(function () { status.textContent = words.nothing; });
    }

    function current() {
      return all("tr[data-row][data-here]").map(function (row) { return { label: row.dataset.row, number: row.dataset.row, hint: words.selected }; });
    }

    function group(title, rows) {
      if (!rows.length) return;
      var head = make("p", { role: "presentation", class: "lp-palette-head" }, title);
      list.append(make("div", { role: "group", "aria-label": title }, [head].concat(rows.map(function (row) {
        var inside = [make("span", { lang: row.lang || null }, row.label)];
        if (row.hint) inside.push(make("small", {}, row.hint));
        if (row.key) inside.push(make("kbd", {}, row.key));
        var option = make("div", { role: "option", id: "palette-" + options.length, "aria-selected": "false" }, inside);
        shown.push(row);
        var index = options.length;
        option.addEventListener("pointermove", function () { if (chosen !== index) choose(index); });
        option.addEventListener("click", function () { choose(index); run(); });
        options.push(option);
        return option;
      }))));
    }

    function draw() {
      var typed = input.value.trim();
      var fitting = fits(typed.toLowerCase().split(/\s+/).filter(Boolean));
      var found = typed && claimsOf === typed ? claims : [];
      list.replaceChildren();
      options = [];
      shown = [];
      chosen = -1;
      if (ways) group(ways.title, ways.rows);
      else if (step) group(words.which.replace("{step}", step.label), typed ? found : current());
      else {
        group(words.claims, found);
        group(words.actions.replace("{number}", known.claim), known.actions.filter(fitting));
        group(words.here, onPage.filter(fitting));
        group(words.pages, goes.concat(typed ? known.rules : []).filter(fitting));
        group(words.steps, typed ? known.steps.filter(fitting) : []);  // so many that one has to ask for them
        group(words.mine, ownMenu.filter(fitting));
      }
      choose(0);
      var waiting = typed && known.finds && claimsOf !== typed;
      var none = step && !typed ? words.which.replace("{step}", step.label) : (typed && says) || words.nothing;
      list.hidden = !options.length;
      empty.hidden = options.length > 0 || waiting;
      empty.textContent = empty.hidden ? "" : none;
      status.textContent = waiting || !options.length ? "" : words.found.replace("{n}", options.length);
    }

    function ask() {
      var typed = input.value.trim();
      if (!typed || !known.finds) { claims = []; claimsOf = ""; return; }
      turn += 1;
      var wanted = turn;
      asked("q=" + encodeURIComponent(typed))
        .catch(function () { return { claims: [], says: "" }; })
        .then(function (answer) {
          if (wanted !== turn) return;
          claims = answer.claims;
          says = answer.says;
          claimsOf = typed;
          draw();
          if (eager) { eager = false; run(); }
        });
    }

    var eager = false;  // Enter pressed before the answer was there: the first claim it brings is opened
    input.addEventListener("input", function () {
      eager = false;
      ways = null;
      draw();
      window.clearTimeout(timer);
      timer = window.setTimeout(ask, WAIT_MS);
    });
    input.addEventListener("keydown", function (event) {
      if (event.isComposing) return;
      if (event.key === "Backspace" && step && !input.value) { event.preventDefault(); begin(null); }
      else if (event.key === "ArrowDown") { event.preventDefault(); choose(chosen + 1); }
      else if (event.key === "ArrowUp") { event.preventDefault(); choose(chosen - 1); }
      else if (event.key === "Enter") {
        event.preventDefault();
        var typed = input.value.trim();
        if (typed && known.finds && claimsOf !== typed && chosen <= 0) eager = true;
        else run();
      }
    });
    dialog = Lipei.raise({ class: "lp-palette", "aria-label": words.palette }, [input, list, empty, make("p", { class: "lp-palette-foot" }, words.foot), status]);
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
