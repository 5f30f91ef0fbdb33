// Sends chosen files in pieces and goes on where a broken line stopped, even after the page was opened anew.
// A report goes first and alone; its photos follow once it is safe. Without this file the forms are sent as they are.
(function () {
  "use strict";
  var WAIT_MS = [1000, 2000, 4000, 8000, 15000, 30000];
  if (!window.fetch || !window.Promise) return;

  function pause(ms) { return new Promise(function (go) { setTimeout(go, ms); }); }

  function asked(url, options, form) {
    options.headers = Object.assign({ "X-CSRFToken": form.elements.csrfmiddlewaretoken.value, "Accept": "application/json" }, options.headers || {});
    options.credentials = "same-origin";
    return fetch(url, options).then(function (answer) {
      return answer.json().then(function (said) { return { status: answer.status, said: said }; });
    });
  }

  // Where an upload that was begun goes on: kept for this tab alone, under what tells one file from another.
  var begun = {
    key: function (to, file) { return ["lipei", to.begin, to.paper, file.name, file.size, file.lastModified].join("|"); },
    get: function (key) { try { return JSON.parse(sessionStorage.getItem(key)); } catch (none) { return null; } },
    set: function (key, value) { try { sessionStorage.setItem(key, JSON.stringify(value)); } catch (full) { /* it begins anew then */ } },
    drop: function (key) { try { sessionStorage.removeItem(key); } catch (none) { /* nothing was kept */ } }
  };

  async function known(form, address) {
    var answer = await asked(address, { method: "GET" }, form).catch(function () { return null; });
    return answer && answer.status === 200 ? answer.said.offset : null;
  }

  async function announce(form, to, file, key) {
    var before = begun.get(key), offset = before ? await known(form, before.address) : null;
    if (offset !== null) return { address: before.address, chunk_bytes: before.chunk_bytes, offset: offset };
    var answer = await asked(to.begin, {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: file.name, type: file.type, size: file.size, paper: to.paper })
    }, form);
    if (answer.status !== 201) throw new Error(answer.said.error);
    begun.set(key, answer.said);
    return answer.said;
  }

  // One file, piece by piece; after a fault ask how much has come and go on from there.
  async function send(form, to, file, show) {
    var key = begun.key(to, file), upload = null, faults = 0, offset = 0;
    for (;;) {
      var answer = null;
      try {
        if (!upload) { upload = await announce(form, to, file, key); offset = upload.offset; }
        show(Math.floor(100 * offset / file.size));
        answer = await asked(upload.address, {
          method: "PATCH", headers: { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" },
          body: file.slice(offset, offset + upload.chunk_bytes)
        }, form);
      } catch (fault) {
        if (!(fault instanceof TypeError)) { begun.drop(key); throw fault; } // refused, not broken
      }
      if (answer && answer.status === 200) {
        faults = 0; offset = answer.said.offset;
        if (answer.said.done) { begun.drop(key); return; }
        continue;
      }
      if (answer && answer.status === 409) { offset = answer.said.offset; continue; }
      if (answer && answer.status < 500) { begun.drop(key); throw new Error(answer.said.error); }
      if (faults >= WAIT_MS.length) throw new Error(answer ? answer.said.error : form.dataset.resume);
      show(null);
      await pause(WAIT_MS[faults++]);
      if (upload) { var come = await known(form, upload.address); if (come !== null) offset = come; }
    }
  }

  // Many files one after the other; what was refused is said by name and stops no other.
  async function sendAll(form, to, files, note) {
    var refused = [];
    note.classList.remove("lp-error");
    for (var i = 0; i < files.length; i++) {
      var place = files.length > 1 ? " (" + (i + 1) + "/" + files.length + ")" : "";
      try {
        await send(form, to, files[i], function (percent) {
          note.textContent = percent === null ? form.dataset.resume : form.dataset.sending.replace("%%", percent + "%") + place;
        });
      } catch (why) {
        refused.push((files.length > 1 ? files[i].name + ": " : "") + why.message);
      }
    }
    note.textContent = refused.join("\n");
    note.classList.toggle("lp-error", refused.length > 0);
    return refused.length;
  }

  function papers(form) {
    var input = form.elements.files, note = form.querySelector(".lp-progress");
    form.addEventListener("submit", async function (event) {
      var invoice = form.elements.invoice_number;
      if (!input.files.length || (invoice && invoice.value.trim())) return; // an invoice number goes with the plain form
      event.preventDefault();
      var button = form.querySelector("button"), to = { begin: form.dataset.resumable, paper: Number(form.dataset.paper) };
      button.disabled = true;
      var refused = await sendAll(form, to, Array.from(input.files), note);
      button.disabled = false;
      if (refused) return;
      location.hash = "paper-" + form.dataset.paper;
      location.reload();
    });
  }

  function complain(form, name, sentence) {
    var field = form.elements[name];
    if (!field || !field.id) return false;
    var words = document.createElement("p");
    words.className = "lp-error"; words.id = field.id + "-error"; words.textContent = sentence;
    var old = document.getElementById(words.id);
    if (old) old.replaceWith(words); else field.after(words);
    field.setAttribute("aria-invalid", "true");
    for (var within = field.closest("details"); within; within = null) within.open = true;
    return true;
  }

  function report(form) {
    var photos = form.elements.photos, note = form.querySelector(".lp-progress");
    form.addEventListener("submit", async function (event) {
      if (!photos.files.length) return;
      event.preventDefault();
      var button = form.querySelector("button"), files = Array.from(photos.files), said = new FormData(form);
      said.delete("photos");
      button.disabled = true;
      form.querySelectorAll("[aria-invalid]").forEach(function (field) { field.removeAttribute("aria-invalid"); });
      form.querySelectorAll(".lp-error").forEach(function (words) { if (words !== note) words.remove(); });
      note.classList.remove("lp-error"); note.textContent = form.dataset.reporting;
      var answer = await asked(form.getAttribute("action") || location.pathname, { method: "POST", body: said }, form).catch(function () { return null; });
      if (!answer || answer.status !== 200) {
        button.disabled = false;
        note.classList.add("lp-error");
        note.textContent = answer ? answer.said.error || form.dataset.wrong : form.dataset.broken;
        if (!answer) return;
        form.elements.key.value = answer.said.key;
        var shown = Object.keys(answer.said.errors).filter(function (name) { return complain(form, name, answer.said.errors[name]); });
        var first = form.querySelector("[aria-invalid]");
        if (shown.length && first) first.focus();
        return;
      }
      var to = { begin: answer.said.uploads, paper: 0 }, taken = form.querySelector(".lp-taken");
      taken.hidden = false;
      taken.querySelector("span").textContent = answer.said.said;
      taken.querySelector("a").href = answer.said.receipt;
      form.querySelector(".lp-send").hidden = true; // it is reported: there is nothing to press twice
      if (!(await sendAll(form, to, files, note))) location.assign(answer.said.receipt);
    });
  }

  document.querySelectorAll("form[data-resumable]").forEach(papers);
  document.querySelectorAll("form[data-reporting]").forEach(report);
})();
