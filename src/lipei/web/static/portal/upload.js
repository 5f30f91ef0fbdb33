// A queue of photos that fills from the camera one by one or with many at once, and sends them in pieces: where a broken
// line stopped it goes on, as soon as there is a network, even after the page was opened anew. A report goes first and
// alone; its photos follow once it is safe. Without this file the forms are sent as they are.
(function () {
  "use strict";
  var WAIT_MS = [1000, 2000, 4000, 8000, 15000, 30000];
  if (!window.fetch || !window.Promise) return;

  // Waits, but not a moment longer than until the network is back.
  function pause(ms) {
    return new Promise(function (go) {
      var timer = setTimeout(done, ms);
      function done() { clearTimeout(timer); window.removeEventListener("online", done); go(); }
      window.addEventListener("online", done);
    });
  }

  function asked(url, options, form) {
    options.headers = Object.assign({ "X-CSRFToken": form.elements.csrfmiddlewaretoken.value, "Accept": "application/json" }, options.headers || {});
    options.credentials = "same-origin";
    return fetch(url, options).then(function (answer) {
      return answer.json().catch(function () { return {}; }).then(function (said) { return { status: answer.status, said: said }; });
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
      body: JSON.stringify({ name: file.name, type: file.type, size: file.size, paper: to.paper, apart: !!to.apart, kept: to.kept || "" })
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
        if (answer.said.done) { begun.drop(key); to.kept = answer.said.kept || ""; return; }
        continue;
      }
      if (answer && answer.status === 409) { offset = answer.said.offset; continue; }
      if (answer && answer.status < 500) { begun.drop(key); throw new Error(answer.said.error); }
      // A dead spot may last as long as it likes; a server that keeps failing is told to the reader.
      if (answer && faults >= WAIT_MS.length) throw new Error(answer.said.error);
      show(null);
      await pause(WAIT_MS[Math.min(faults++, WAIT_MS.length - 1)]);
      if (upload) { var come = await known(form, upload.address); if (come !== null) offset = come; }
    }
  }

  // Many files one after the other; what was refused is said by name, with the reason beside the file, and stops no other.
  async function sendAll(form, to, queue, note) {
    var refused = [], rows = queue.rows.slice();
    note.classList.remove("lp-error");
    queue.lock();
    for (var i = 0; i < rows.length; i++) {
      if (rows[i].sent) continue;
      var place = rows.length > 1 ? " (" + (i + 1) + "/" + rows.length + ")" : "";
      try {
        await send(form, to, rows[i].file, function (percent) {
          var said = percent === null ? form.dataset.resume : form.dataset.sending.replace("%%", percent + "%");
          note.textContent = percent === null ? said : said + place;
          rows[i].show(percent, said);
        });
        rows[i].finish();
      } catch (why) {
        refused.push(form.dataset.refused + ": " + rows[i].file.name);
        rows[i].refuse(why.message);
      }
    }
    note.textContent = refused.join("\n");
    note.classList.toggle("lp-error", refused.length > 0);
    return refused.length;
  }

  function made(tag, name, words) {
    var element = document.createElement(tag);
    if (name) element.className = name;
    if (words) element.textContent = words;
    return element;
  }

  // A small picture of a photo, one after the other so that forty large ones do not fill the memory of a phone.
  var drawing = Promise.resolve();
  function thumb(file, image) {
    if (!/^image\//.test(file.type) || !window.createImageBitmap) return;
    drawing = drawing.then(function () {
      return createImageBitmap(file, { resizeWidth: 112, resizeQuality: "low" }).then(function (bitmap) {
        var canvas = document.createElement("canvas");
        canvas.width = bitmap.width; canvas.height = bitmap.height;
        canvas.getContext("2d").drawImage(bitmap, 0, 0);
        bitmap.close();
        image.src = canvas.toDataURL("image/jpeg", 0.7);
      }).catch(function () { /* a format that the phone cannot draw: its name says enough */ });
    });
  }

  // Whoever leaves the page while something chosen is not sent yet is asked: it would be lost without a word.
  var queues = [], letting = false;
  window.addEventListener("beforeunload", function (event) {
    var lost = queues.some(function (queue) { return queue.left().some(function (row) { return !row.refused; }); });
    if (lost && !letting) event.preventDefault();
  });

  // What was chosen so far: a camera hands over one photo at a time, and each choice adds to those before.
  function Queue(form, input) {
    var queue = this, list = made("ul", "po-queue");
    this.rows = []; this.list = list;
    // The field itself speaks the browser's language and says how many; the queue says which, in the reader's.
    var choose = made("label", "po-choose"), sign = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    sign.classList.add("lp-icon"); sign.setAttribute("aria-hidden", "true");
    sign.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
    sign.firstChild.setAttribute("href", form.dataset.sign);
    choose.htmlFor = input.id; choose.append(sign, form.dataset.choose); choose.setAttribute("aria-hidden", "true");
    input.classList.add("lp-only-read"); input.after(choose);
    input.closest(".lp-field, .lp-card").append(list);
    input.addEventListener("change", function () {
      Array.from(input.files).forEach(function (file) { queue.add(form, file); });
      queue.keep(input);
    });
    this.input = input;
    queues.push(this);
    if (input.files.length) input.dispatchEvent(new Event("change")); // the browser had kept them
  }
  Queue.prototype.has = function (file) {
    return this.rows.some(function (row) {
      return row.file.name === file.name && row.file.size === file.size && row.file.lastModified === file.lastModified;
    });
  };
  Queue.prototype.left = function () { return this.rows.filter(function (row) { return !row.sent; }); };
  Queue.prototype.files = function () { return this.left().map(function (row) { return row.file; }); };
  Queue.prototype.keep = function (input) {
    // The plain form sends what the field holds, so the field holds the whole queue.
    try {
      var held = new DataTransfer();
      this.files().forEach(function (file) { held.items.add(file); });
      input.files = held.files;
    } catch (old) { /* an old browser: what was chosen last stands in the field */ }
  };
  Queue.prototype.lock = function () { this.list.querySelectorAll(".po-drop").forEach(function (button) { button.remove(); }); };
  Queue.prototype.add = function (form, file) {
    if (this.has(file)) return;
    var queue = this, line = made("li"), image = made(/^image\//.test(file.type) ? "img" : "span", "po-thumb");
    var state = made("span", "po-state", form.dataset.waits), bar = made("progress"), button = made("input", "po-drop");
    if (image.tagName === "IMG") image.alt = "";
    bar.max = 100; bar.value = 0; bar.hidden = true; bar.setAttribute("aria-label", file.name);
    button.type = "button"; button.value = form.dataset.drop; button.setAttribute("aria-label", form.dataset.drop + " " + file.name);
    line.append(image, made("span", "po-name", file.name), state, button);
    this.list.append(line);
    var row = {
      file: file, sent: false, refused: false,
      show: function (percent, said) {
        if (percent !== null) { bar.value = percent; if (bar.hidden) { bar.hidden = false; state.replaceWith(bar); } return; }
        if (!bar.hidden) { bar.hidden = true; bar.replaceWith(state); }
        state.textContent = said;
      },
      end: function (kind, said) {
        if (!bar.hidden) { bar.hidden = true; bar.replaceWith(state); }
        state.className = "po-state po-state-" + kind; state.textContent = said;
      },
      finish: function () { row.sent = true; row.refused = false; row.end("sent", "✓ " + form.dataset.sent); queue.keep(queue.input); },
      refuse: function (why) { row.refused = true; row.end("refused", form.dataset.refused + (why && ": " + why)); line.append(button); }
    };
    button.addEventListener("click", function () {
      queue.rows.splice(queue.rows.indexOf(row), 1); line.remove(); queue.keep(queue.input); queue.input.focus();
      if (queue.dropped) queue.dropped();
    });
    this.rows.push(row);
    thumb(file, image);
  };

  // The page of a claim is one form with a place for each paper: whichever button is pressed, what was chosen at the
  // others goes too, for the page is read anew afterwards.
  function papers(form) {
    var places = Array.from(form.querySelectorAll("[data-resumable]")).map(function (box) {
      var part = box.dataset.paper, input = box.querySelector("input[type=file]");
      return {
        part: part, queue: new Queue(form, input), note: box.querySelector(".lp-progress"), invoice: form.elements["invoice-" + part],
        kept: (form.elements["kept-" + part] || {}).value, button: box.querySelector(":scope > button"), to: { begin: box.dataset.resumable, paper: Number(part) }
      };
    });
    // Whoever leaves out what was refused is done with it; where all else was sent the page says how the papers stand now.
    places.forEach(function (place) {
      place.queue.dropped = function () {
        place.note.textContent = ""; place.note.classList.remove("lp-error");
        var left = places.some(function (one) { return one.queue.left().length; });
        if (!left && places.some(function (one) { return one.queue.rows.length; })) location.reload();
      };
    });
    form.addEventListener("submit", async function (event) {
      var chosen = places.filter(function (place) { return place.kept || place.queue.left().length; });
      if (!chosen.length && !places.some(function (place) { return place.queue.rows.length; })) return;
      event.preventDefault();
      var pressed = (event.submitter || places[0].button).formAction, refused = 0;
      places.forEach(function (place) { place.button.disabled = true; });
      for (var i = 0; i < chosen.length; i++) {
        var numbered = chosen[i].kept || (chosen[i].invoice && chosen[i].invoice.value.trim());
        refused += await (numbered ? sendNumbered(form, chosen[i]) : sendAll(form, chosen[i].to, chosen[i].queue, chosen[i].note));
      }
      places.forEach(function (place) { place.button.disabled = false; });
      form.removeAttribute("data-lp-sent");
      if (refused) return;
      location.hash = new URL(pressed).hash;
      location.reload();
    });
  }

  // The files of one paper in pieces, then the number of its invoice with all of them; how much was refused.
  async function sendNumbered(form, place) {
    place.to.apart = true; place.to.kept = place.kept || "";
    var refused = await sendAll(form, place.to, place.queue, place.note), said = new FormData(), errors = null, why = "";
    place.kept = place.to.kept;
    if (refused) return refused;
    said.append("invoice-" + place.part, place.invoice.value);
    said.append("kept-" + place.part, place.kept);
    place.note.classList.remove("lp-error"); place.note.textContent = form.dataset.sending.replace("%%", "");
    var answer = await asked(place.button.formAction, { method: "POST", body: said }, form).catch(function () { return null; });
    if (answer) errors = answer.said.errors;
    if (!errors) why = answer ? form.dataset.wrong : form.dataset.broken;
    else {
      why = errors["paper_" + place.part] || "";
      place.kept = answer.said.kept[place.part] || ""; // the files are there, and only their number is not right
    }
    place.note.textContent = why;
    place.note.classList.toggle("lp-error", !!why);
    return why ? 1 : 0;
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
    var note = form.querySelector(".lp-progress"), queue = new Queue(form, form.elements.photos);
    form.addEventListener("submit", async function (event) {
      event.preventDefault();
      var button = form.querySelector(".lp-send button"), said = new FormData(form);
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
        if (!answer.said.errors) { letting = true; form.submit(); return; } // not an answer of ours: the whole page says what is wrong
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
      form.dispatchEvent(new Event("lipei:sent"));
      if (!queue.rows.length || !(await sendAll(form, to, queue, note))) location.assign(answer.said.receipt);
    });
  }

  document.querySelectorAll("form[data-papers]").forEach(papers);
  document.querySelectorAll("form[data-reporting]").forEach(report);
})();
