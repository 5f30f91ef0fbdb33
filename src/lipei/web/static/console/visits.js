// Photos and reports of visits wait on the phone until they have arrived: taken first, sent when there is a network.
// Every step may be taken again: the server knows the same photo by its digest, and a report by its words.
(function () {
  "use strict";
  var KEEP_MS = 24 * 3600 * 1000;
  var frame = document.querySelector(".lp-visits"), waits = document.querySelector("[data-waits]");
  if (!frame || !window.indexedDB || !window.fetch || !window.crypto || !crypto.subtle) return;
  var form = document.querySelector(".lp-visit-form"), who = frame.dataset.who, busy = false, more = false, signedOut = false, leaving = false;

  // --- what waits -----------------------------------------------------------------------------------------------
  var opened = new Promise(function (done, failed) {
    var asked = indexedDB.open("lipei-visits", 1);
    asked.onupgradeneeded = function () { asked.result.createObjectStore("photos", { keyPath: "id" }); asked.result.createObjectStore("reports", { keyPath: "visit" }); };
    asked.onsuccess = function () { done(asked.result); };
    asked.onerror = function () { failed(asked.error); };
  });
  function store(name, mode, act) {
    return opened.then(function (base) {
      return new Promise(function (done, failed) {
        var whole = base.transaction(name, mode), asked = act(whole.objectStore(name));
        whole.oncomplete = function () { done(asked && asked.result); };
        whole.onerror = whole.onabort = function () { failed(whole.error); };
      });
    });
  }
  function put(name, row) { return store(name, "readwrite", function (s) { return s.put(row); }); }
  function drop(name, key) { return store(name, "readwrite", function (s) { return s.delete(key); }); }
  function everybodys(name) { return store(name, "readonly", function (s) { return s.getAll(); }); }
  function all(name) { return everybodys(name).then(function (rows) { return rows.filter(function (row) { return row.who === who; }); }); }

  async function count() {
    var photos = (await all("photos")).filter(function (p) { return p.state === "waiting"; }).length;
    var reports = (await all("reports")).filter(function (r) { return r.ready; }).length;
    var n = photos + reports, said = waits.querySelector("span"), look = waits.querySelector("[data-look]");
    var refused = (await all("photos")).filter(function (p) { return p.state === "refused"; }).concat((await all("reports")).filter(function (r) { return !r.ready && r.why; }));
    waits.hidden = !n && !refused.length && waits.hidden;
    waits.classList.toggle("lp-alert-warn", n + refused.length > 0);
    said.textContent = signedOut && n ? waits.dataset.signIn : n ? waits.dataset.one.replace("%%", n) : refused.length ? waits.dataset.refused.replace("%%", refused.length) : waits.dataset.none;
    waits.querySelector("button").hidden = !n || signedOut;
    waits.querySelector("a").hidden = !n || !signedOut;
    look.hidden = n > 0 || !refused.length;
    if (refused.length) look.href = (form && refused[0].visit === form.dataset.visit ? "" : frame.dataset.scope + refused[0].visit + "/") + (refused[0].fields ? "#s-findings" : "#s-photos");
    if (form) draw();
    return n;
  }

  // --- sending --------------------------------------------------------------------------------------------------
  function token() { var found = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie); return found ? found[1] : form ? form.elements.csrfmiddlewaretoken.value : ""; }
  // The answer, or null where the line is broken or the way back to the sign-in is all there is.
  async function post(address, body) {
    try {
      var answer = await fetch(address, { method: "POST", body: body, credentials: "same-origin", redirect: "manual", headers: { "X-CSRFToken": token(), "Accept": "application/json" } });
      if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) { signedOut = true; return null; }
      if (answer.status >= 500) return null;
      signedOut = false;
      return { status: answer.status, said: await answer.json().catch(function () { return {}; }) };
    } catch (broken) { return null; }
  }

  async function sendPhoto(photo) {
    var body = new FormData();
    body.append("file", photo.blob, photo.name);
    ["taken_at", "latitude", "longitude", "digest"].forEach(function (name) { if (photo[name] !== undefined && photo[name] !== null) body.append(name, photo[name]); });
    var answer = await post(photo.to, body);
    if (!answer) return false;
    if (answer.status === 201) { // what has arrived is remembered small, for a page kept from before it did
      await put("photos", { id: photo.id, who: who, visit: photo.visit, at: photo.at, state: "sent", part: answer.said.part, small: await small(photo.blob) });
      return true;
    }
    photo.state = "refused"; photo.why = answer.said.error || "";
    await put("photos", photo);
    return true;
  }

  async function small(blob) {
    try {
      var bitmap = await createImageBitmap(blob, { resizeWidth: 160, resizeQuality: "low" }), canvas = document.createElement("canvas");
      canvas.width = bitmap.width; canvas.height = bitmap.height;
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      bitmap.close();
      return canvas.toDataURL("image/jpeg", 0.7);
    } catch (undrawn) { return ""; }
  }

  async function sendReport(report) {
    var body = new FormData();
    Object.keys(report.fields).forEach(function (name) { body.append(name, report.fields[name]); });
    var answer = await post(report.to, body);
    if (!answer) return false;
    if (answer.status === 200) { await drop("reports", report.visit); return true; }
    report.ready = false; report.why = answer.said.error || "";
    await put("reports", report);
    return true;
  }

  // One tab sends at a time, photos before the report that speaks of them.
  async function flush() {
    if (busy) { more = true; return; }
    busy = true;
    try {
      do {
        more = false;
        await (navigator.locks ? navigator.locks.request("lipei-visits", { ifAvailable: true }, function (held) { return held ? sendAll() : null; }) : sendAll());
      } while (more);
    } finally { busy = false; await count(); }
    if (leaving && !(await reportOf(form.dataset.visit))) location.assign(form.dataset.list); // what was kept for the network has gone
  }
  async function sendAll() {
    var photos = (await all("photos")).filter(function (p) { return p.state === "waiting"; }).sort(function (a, b) { return a.at - b.at; });
    for (var i = 0; i < photos.length; i++) { if (!(await sendPhoto(photos[i]))) return; await count(); }
    var reports = (await all("reports")).filter(function (r) { return r.ready; });
    for (var j = 0; j < reports.length; j++) { if (!(await sendReport(reports[j]))) return; await count(); }
  }

  // --- one visit ------------------------------------------------------------------------------------------------
  var place = null;
  function locate() {
    if (!navigator.geolocation) return;
    navigator.geolocation.getCurrentPosition(function (found) { place = found.coords; }, function () { /* without a place then */ }, { enableHighAccuracy: true, timeout: 8000, maximumAge: 60000 });
  }
  async function digest(blob) {
    var hash = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
    return Array.from(new Uint8Array(hash)).map(function (b) { return b.toString(16).padStart(2, "0"); }).join("");
  }
  async function keep(blob, name) {
    try {
      await put("photos", {
        id: crypto.randomUUID(), who: who, visit: form.dataset.visit, to: form.dataset.photos, at: Date.now(), state: "waiting", blob: blob, name: name,
        digest: await digest(blob), taken_at: new Date().toISOString(), latitude: place ? place.latitude : null, longitude: place ? place.longitude : null
      });
    } catch (full) { complain(form.dataset.full); return; }
    await count();
  }
  function complain(words, calm) {
    var line = form.querySelector("[data-error]");
    line.textContent = words; line.className = calm ? "lp-strong" : "lp-error";
  }
  async function reportOf(visit) { return (await all("reports")).find(function (r) { return r.visit === visit; }); }

  // The photos that have arrived: those the page came with, and those that arrived since it was made.
  function arrived(sent) {
    var list = form.querySelector("[data-arrived]"), there = form.querySelector("[data-there]");
    sent.forEach(function (photo) {
      var known = list.querySelector('[data-part="' + photo.part + '"]'), shown = known && known.querySelector("img");
      if (shown && photo.small) { // in a tunnel the server's picture does not come
        shown.onerror = function () { shown.onerror = null; shown.src = photo.small; };
        if (shown.complete && !shown.naturalWidth) shown.onerror();
      }
      if (!photo.part || known) return;
      var row = document.createElement("li"), image = document.createElement("img"), said = document.createElement("span");
      row.dataset.part = photo.part;
      image.className = "lp-thumb"; image.width = 160; image.height = 120; image.alt = list.dataset.alt + " " + photo.part;
      if (photo.small) { image.src = photo.small; row.append(image); }
      said.className = "lp-small lp-quiet"; said.textContent = "✓ " + form.dataset.sent;
      row.append(said);
      list.append(row);
    });
    there.hidden = !list.children.length;
    there.querySelector("strong").textContent = there.dataset.said.replace("%%", list.children.length);
  }

  async function draw() {
    var photos = (await all("photos")).filter(function (p) { return p.visit === form.dataset.visit; }).sort(function (a, b) { return a.at - b.at; });
    var list = form.querySelector("[data-queue]");
    arrived(photos.filter(function (p) { return p.state === "sent"; }));
    photos = photos.filter(function (p) { return p.state !== "sent"; });
    list.querySelectorAll("img").forEach(function (image) { URL.revokeObjectURL(image.src); });
    list.replaceChildren.apply(list, photos.map(function (photo) {
      var row = document.createElement("li"), image = document.createElement("img"), said = document.createElement("span");
      image.className = "lp-thumb"; image.alt = photo.name; image.src = URL.createObjectURL(photo.blob);
      image.addEventListener("error", function () { // what this phone cannot draw is known by its name
        var name = document.createElement("span");
        name.className = "lp-thumb"; name.textContent = photo.name;
        image.replaceWith(name);
      });
      said.className = "lp-small"; said.textContent = photo.state === "waiting" ? form.dataset.waiting : photo.why || form.dataset.refused;
      if (photo.state !== "waiting") { row.className = "lp-refused"; said.className = "lp-error"; }
      row.append(image, said);
      if (photo.state !== "waiting") {
        var button = document.createElement("button");
        button.type = "button"; button.className = "lp-link"; button.textContent = form.dataset.drop;
        button.addEventListener("click", function () { drop("photos", photo.id).then(count); });
        row.append(button);
      }
      return row;
    }));
    var report = (await all("reports")).find(function (r) { return r.visit === form.dataset.visit; });
    if (report && report.why) complain(report.why);
  }

  function fields() {
    var said = {};
    new FormData(form).forEach(function (value, name) { if (typeof value === "string" && name !== "csrfmiddlewaretoken") said[name] = value; });
    return said;
  }
  async function draft(ready) {
    await put("reports", { visit: form.dataset.visit, who: who, to: form.getAttribute("action") || location.pathname, ready: ready, why: "", fields: fields() });
  }
  async function refill() {
    var report = await reportOf(form.dataset.visit);
    if (!report) return;
    if (report.ready) { leaving = true; complain(form.dataset.kept, true); }
    Object.keys(report.fields).forEach(function (name) {
      var field = form.elements[name];
      if (field && !(field.value && field.tagName)) field.value = report.fields[name];
    });
  }

  function visit() {
    locate();
    refill();
    var input = form.elements.photos, later = null;
    input.classList.add("lp-only-read"); // the label is the camera: the field would speak the browser's language
    input.addEventListener("change", async function () {
      var files = Array.from(input.files);
      input.value = "";
      for (var i = 0; i < files.length; i++) await keep(files[i], files[i].name || "photo.jpg");
      flush();
    });
    form.addEventListener("input", function (event) {
      if (event.target === input) return;
      clearTimeout(later);
      later = setTimeout(function () { draft(false); }, 400);
    });
    form.addEventListener("submit", async function (event) {
      event.preventDefault();
      clearTimeout(later);
      complain(""); leaving = false;
      await draft(true);
      while (busy) await new Promise(function (go) { setTimeout(go, 100); });
      await flush();
      form.removeAttribute("data-lp-sent");
      var left = await reportOf(form.dataset.visit);
      if (!left) location.assign(form.dataset.list);
      else if (left.ready) { leaving = true; complain(form.dataset.kept, true); }
      else complain(left.why);
    });
    signature(form.querySelector("[data-signature]"));
    dictation(form.querySelector("[data-dictate]"), form.elements.findings);
  }

  function signature(box) {
    var canvas = box.querySelector("canvas"), pen = canvas.getContext("2d"), drawn = false, down = false;
    box.hidden = false;
    function at(event) { var r = canvas.getBoundingClientRect(); return [(event.clientX - r.left) * canvas.width / r.width, (event.clientY - r.top) * canvas.height / r.height]; }
    function clear() { pen.fillStyle = "#fff"; pen.fillRect(0, 0, canvas.width, canvas.height); pen.strokeStyle = "#111"; pen.lineWidth = 3; pen.lineCap = "round"; drawn = false; }
    clear();
    canvas.addEventListener("pointerdown", function (event) { down = true; canvas.setPointerCapture(event.pointerId); pen.beginPath(); pen.moveTo.apply(pen, at(event)); });
    canvas.addEventListener("pointermove", function (event) { if (!down) return; pen.lineTo.apply(pen, at(event)); pen.stroke(); drawn = true; });
    canvas.addEventListener("pointerup", function () { down = false; });
    box.querySelector("[data-clear]").addEventListener("click", clear);
    box.querySelector("[data-keep]").addEventListener("click", function () {
      if (!drawn) return;
      canvas.toBlob(function (blob) { keep(blob, "signature.png").then(function () { clear(); flush(); }); }, "image/png");
    });
  }

  function dictation(button, field) {
    var Ear = window.SpeechRecognition || window.webkitSpeechRecognition;
    if (!Ear) return;
    button.hidden = false;
    button.addEventListener("click", function () {
      var ear = new Ear();
      ear.lang = { "zh-hans": "zh-CN", "zh-hant": "zh-TW" }[document.documentElement.lang] || "en";
      ear.onresult = function (event) { field.value += event.results[0][0].transcript; draft(false); };
      ear.start();
    });
  }

  // What has arrived is remembered for as long as a page from before it may be opened without a network, and by the person.
  async function forget() {
    var old = (await everybodys("photos")).filter(function (p) { return p.state === "sent" && (p.who !== who || Date.now() - p.at > KEEP_MS); });
    for (var i = 0; i < old.length; i++) await drop("photos", old[i].id);
  }

  // --- begin ----------------------------------------------------------------------------------------------------
  if (form) visit();
  waits.querySelector("button").addEventListener("click", flush);
  window.addEventListener("online", flush);
  document.addEventListener("visibilitychange", function () { if (!document.hidden) flush(); });
  setInterval(flush, 20000);
  forget().then(count).then(function (n) { if (n) waits.hidden = false; flush(); });

  if (navigator.serviceWorker) {
    navigator.serviceWorker.register(frame.dataset.offline, { scope: frame.dataset.scope }).then(function () { return navigator.serviceWorker.ready; }).then(function (there) {
      var loaded = Array.from(document.querySelectorAll("link[rel=stylesheet], script[src]")).map(function (e) { return e.href || e.src; });
      var linked = Array.from(document.querySelectorAll(".lp-visit a[href^='/console/visits/']")).map(function (a) { return a.href; });
      var icons = Array.from(document.querySelectorAll("use")).slice(0, 1).map(function (u) { return u.href.baseVal.split("#")[0]; });
      there.active.postMessage({ who: who, pages: [location.href].concat(loaded, linked, icons) });
    }).catch(function () { /* pages then need a network; photos do not */ });
  }
})();
