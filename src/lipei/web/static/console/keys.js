// Keys of the pages for staff. An element with data-key is pressed (or, if one types into it, focused) by that key;
// "?" lists them by their data-key-label. "g" and a letter go to a page, "/" and Ctrl+K open the command palette.
// The palette and the tour are fetched when somebody wants them.
(function () {
  "use strict";
  var me = document.currentScript;
  var OFF = "lipei-keys-off";
  var Lipei = (window.Lipei = window.Lipei || {});
  var facts = null;
  var going = 0;

  function stored(key) { try { return window.localStorage.getItem(key); } catch (error) { return null; } }
  function store(key, value) { try { window.localStorage.setItem(key, value); } catch (error) { /* not remembered then */ } }
  Lipei.stored = stored;
  Lipei.store = store;
  Lipei.data = me.dataset;

  // What the server knows for this reader and page: pages, actions on the claim that is open, words. Asked once a page.
  Lipei.facts = function () {
    if (!facts) {
      var claim = document.querySelector("[data-claim]");
      var found = window.location.pathname.match(/\/claims\/([^/]+)\//);
      var number = claim ? claim.dataset.claim : found ? decodeURIComponent(found[1]) : "";
      facts = fetch(me.dataset.palette + "?claim=" + encodeURIComponent(number), { headers: { Accept: "application/json" } })
        .then(function (answer) { if (!answer.ok) throw new Error(String(answer.status)); return answer.json(); })
        .catch(function (error) { facts = null; throw error; });
    }
    return facts;
  };

  // One more row of a form: the last empty one once more, under the next number.
  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-more-rows]");
    if (!button) return;
    var rows = button.closest(".lp-rows").querySelectorAll(":scope > .lp-rows-row"), last = rows[rows.length - 1];
    var field = last.querySelector("[name]"), prefix = /^(.*-)(\d+)-[^-]+$/.exec(field.name);
    var before = prefix[1] + prefix[2] + "-", after = prefix[1] + (Number(prefix[2]) + 1) + "-", row = last.cloneNode(true);
    row.setAttribute("aria-label", last.getAttribute("aria-label").replace(/\d+$/, rows.length + 1));
    var called = row.querySelector(":scope > .lp-rows-name");
    if (called) called.textContent = row.getAttribute("aria-label");
    row.querySelectorAll("*").forEach(function (element) {
      ["name", "id", "for", "aria-describedby"].forEach(function (name) {
        var said = element.getAttribute(name);
        if (said && said.indexOf(before) >= 0) element.setAttribute(name, said.replace(before, after));
      });
      if ("defaultValue" in element) element.value = element.defaultValue;
      if ("defaultChecked" in element) element.checked = element.defaultChecked;
      if (element.tagName === "SELECT") element.selectedIndex = Math.max(0, [].findIndex.call(element.options, function (one) { return one.defaultSelected; }));
    });
    last.after(row);
    row.querySelector("input, select, textarea").focus();
  });

  Lipei.make = function (tag, attributes, children) {
    var element = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) { if (attributes[name] !== null) element.setAttribute(name, attributes[name]); });
    [].concat(children || []).forEach(function (child) { element.append(child); });
    return element;
  };

  var styled = null;
  Lipei.load = function (name) {
    styled = styled || new Promise(function (resolve) {
      var sheet = Lipei.make("link", { rel: "stylesheet", href: me.dataset.style });
      sheet.onload = sheet.onerror = resolve;
      document.head.append(sheet);
    });
    var there = new Promise(function (resolve, reject) {
      if (Lipei[name]) { resolve(); return; }
      var script = Lipei.make("script", { src: me.dataset[name + "Src"] });
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
    return Promise.all([there, styled]).then(function () { return Lipei[name]; });
  };

  // Something over the page. Not a modal dialog: to open and to close one, the browser styles every element of the page
  // anew. It goes with Esc, with a press beside it, and when the focus leaves it.
  Lipei.raise = function (attributes, children) {
    var from = document.activeElement;
    var it = Lipei.make("div", Object.assign({ role: "dialog", popover: "auto", tabindex: "-1", "data-raised": "" }, attributes), children);
    it.lower = function () {
      if (!it.isConnected) return;
      var here = document.activeElement;
      var mine = !here || here === document.body || it.contains(here);
      it.dispatchEvent(new Event("lower"));
      it.remove();
      if (mine && from && from.isConnected) from.focus({ preventScroll: true });
    };
    it.addEventListener("toggle", function (event) { if (event.newState === "closed") it.lower(); });
    it.addEventListener("focusout", function (event) { if (event.relatedTarget && !it.contains(event.relatedTarget)) it.lower(); });
    it.addEventListener("keydown", function (event) {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      event.stopPropagation();  // what is under it stays
      it.lower();
    });
    document.body.append(it);
    if (it.showPopover) it.showPopover();
    return it;
  };
  Lipei.raised = function () { return Boolean(document.querySelector("[data-raised], dialog[open]")); };

  function typing(target) {
    return target.isContentEditable || (target.matches && target.matches("input:not([type=checkbox]):not([type=radio]):not([type=button]):not([type=submit]), textarea, select"));
  }
  function visible(element) { return !!(element.offsetWidth || element.offsetHeight || element.getClientRects().length); }

  function press(key) {
    var wanted = Array.prototype.filter.call(document.querySelectorAll("[data-key]"), function (element) {
      return element.dataset.key === key && visible(element) && !element.disabled;
    });
    if (!wanted.length) return false;
    if (wanted.length > 1) ask(wanted);
    else if (typing(wanted[0])) wanted[0].focus();
    else wanted[0].click();
    return true;
  }
  Lipei.press = press;

  // The same step on several parts: which is meant, by its figure or a press.
  function ask(wanted) {
    Lipei.load("palette").then(function () {
      if (Lipei.raised()) return;
      var choices = wanted.map(function (element, n) {
        var one = Lipei.make("button", { type: "button", class: "lp-button lp-button-quiet" }, [Lipei.make("kbd", {}, String(n + 1)), " " + element.dataset.keyLabel]);
        one.addEventListener("click", function () { list.lower(); element.click(); });
        return one;
      });
      var list = Lipei.raise({ class: "lp-keys-list lp-keys-ask", "aria-label": wanted[0].textContent.trim() }, choices);
      list.addEventListener("keydown", function (event) { if (choices[event.key - 1]) { event.preventDefault(); choices[event.key - 1].click(); } });
      choices[0].focus();
    });
  }

  function palette() { Lipei.load("palette").then(function (it) { it.open(); }); }

  function rows(list) {
    return list.map(function (row) {
      var keys = row[0].split(" ").map(function (key) { return Lipei.make("kbd", {}, key); });
      return Lipei.make("div", {}, [Lipei.make("dt", {}, keys), Lipei.make("dd", {}, row[1])]);
    });
  }

  function help() {
    Lipei.load("palette").then(Lipei.facts).then(function (known) {
      var words = known.words;
      var mine = Array.prototype.filter.call(document.querySelectorAll("[data-key]"), visible).map(function (element) {
        return [element.dataset.key, element.dataset.keyLabel || element.getAttribute("aria-label") || element.textContent.trim()];
      });
      var goes = known.pages.filter(function (page) { return page.key; }).map(function (page) { return ["g " + page.key, page.label]; });
      var everywhere = [["Ctrl+K", words.palette], ["/", words.palette], ["?", words.keys], ["Esc", words.close]];
      var on = Lipei.make("input", { type: "checkbox", id: "keys-on" });
      on.checked = stored(OFF) !== "1";
      on.addEventListener("change", function () { store(OFF, on.checked ? "0" : "1"); });
      var shut = Lipei.make("button", { type: "button", class: "lp-button lp-button-quiet lp-button-small" }, words.close);
      var content = [Lipei.make("h2", { id: "keys-title" }, words.keys)];
      if (mine.length) content.push(Lipei.make("h3", {}, words.here), Lipei.make("dl", { class: "lp-keys" }, rows(mine)));
      content.push(Lipei.make("h3", {}, words.everywhere), Lipei.make("dl", { class: "lp-keys" }, rows(everywhere.concat(goes))));
      content.push(Lipei.make("p", { class: "lp-keys-foot" }, [Lipei.make("label", { for: "keys-on", class: "lp-check" }, [on, words.single]), shut]));
      if (Lipei.raised()) return;
      var list = Lipei.raise({ class: "lp-keys-list", "aria-labelledby": "keys-title" }, content);
      shut.addEventListener("click", list.lower);
      shut.focus();
    });
  }
  Lipei.help = help;

  document.addEventListener("keydown", function (event) {
    if (event.defaultPrevented || event.isComposing) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      palette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target) || Lipei.raised()) return;
    if (event.key === "?") { event.preventDefault(); help(); return; }
    if (stored(OFF) === "1") return;
    if (going && Date.now() - going < 1500) {
      var letter = event.key;
      going = 0;
      event.preventDefault();
      Lipei.facts().then(function (known) {
        var page = known.pages.find(function (one) { return one.key === letter; });
        if (page) window.location.assign(page.href);
      });
      return;
    }
    if (event.key === "/") { event.preventDefault(); palette(); return; }
    if (press(event.key)) { event.preventDefault(); return; }
    if (event.key === "g") { going = Date.now(); Lipei.facts(); }
  });

  document.addEventListener("click", function (event) {
    var opener = event.target.closest ? event.target.closest("[data-opens]") : null;
    if (!opener) return;
    if (opener.dataset.opens === "palette") palette();
    if (opener.dataset.opens === "keys") help();
  });
  document.querySelectorAll("[data-opens][hidden]").forEach(function (one) { one.hidden = false; });

  // The tour goes on where it was, on whichever page it led to.
  var state = null;
  try { state = JSON.parse(stored("lipei-tour") || "null"); } catch (error) { /* somebody else's value */ }
  if (document.querySelector("[data-tour-start]") || (state && state.on && state.me === me.dataset.me)) {
    Lipei.load("tour").then(function (it) { it.arrive(); });
  }
})();
