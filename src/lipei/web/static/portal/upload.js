// Sends chosen files in pieces and goes on where a broken line stopped. Without this file the form is sent as it is.
(function () {
  "use strict";
  var WAIT_MS = [1000, 2000, 4000, 8000, 15000, 30000];
  if (!window.fetch || !window.Promise) return;

  function pause(ms) { return new Promise(function (go) { setTimeout(go, ms); }); }

  function asked(url, options, form) {
    options.headers = Object.assign({ "X-CSRFToken": form.elements.csrfmiddlewaretoken.value }, options.headers || {});
    options.credentials = "same-origin";
    return fetch(url, options).then(function (answer) {
      return answer.json().then(function (said) { return { status: answer.status, said: said }; });
    });
  }

  // One file: announce it, then piece by piece; after a fault ask how much has come and go on from there.
  async function send(form, file, show) {
    var begun = await asked(form.dataset.resumable, {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: file.name, type: file.type, size: file.size, paper: Number(form.dataset.paper) })
    }, form);
    if (begun.status !== 201) throw new Error(begun.said.error);
    var offset = 0, faults = 0;
    for (;;) {
      show(form.dataset.sending.replace("%%", Math.round(100 * offset / file.size) + "%"));
      var answer;
      try {
        var piece = file.slice(offset, offset + begun.said.chunk_bytes);
        answer = await asked(begun.said.address, {
          method: "PATCH", headers: { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" }, body: piece
        }, form);
      } catch (fault) {
        answer = null;
      }
      if (answer && answer.status === 200) { faults = 0; offset = answer.said.offset; if (answer.said.done) return; continue; }
      if (answer && answer.status === 409) { offset = answer.said.offset; continue; }
      if (answer && answer.status < 500) throw new Error(answer.said.error);
      if (faults >= WAIT_MS.length) throw new Error(answer ? answer.said.error : form.dataset.resume);
      show(form.dataset.resume);
      await pause(WAIT_MS[faults++]);
      var known = await asked(begun.said.address, { method: "GET" }, form).catch(function () { return null; });
      if (known && known.status === 200) offset = known.said.offset;
      else if (known && known.status < 500) throw new Error(known.said.error);
    }
  }

  function watch(form) {
    var input = form.elements.files, note = form.querySelector(".lp-progress");
    function show(words) { note.textContent = words; note.classList.remove("lp-error"); }
    form.addEventListener("submit", async function (event) {
      var invoice = form.elements.invoice_number;
      if (!input.files.length || (invoice && invoice.value.trim())) return; // an invoice number goes with the plain form
      event.preventDefault();
      var button = form.querySelector("button:not([type=button])");
      button.disabled = true;
      try {
        for (var file of Array.from(input.files)) await send(form, file, show);
        location.hash = "paper-" + form.dataset.paper;
        location.reload();
      } catch (refused) {
        show(refused.message);
        note.classList.add("lp-error");
        button.disabled = false;
      }
    });
  }

  document.querySelectorAll("form[data-resumable]").forEach(watch);
})();
