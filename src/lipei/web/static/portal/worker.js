// Keeps the shell of the customers' pages, so that they open in a dead spot and say so. VERSION and KEPT are put in
// front of this by the server. Nothing that belongs to a person is kept: neither pages of a claim nor anything sent.
"use strict";
const CACHE = "lipei-portal-" + VERSION, LANGUAGE = "/-language";
const NOT_OURS = ["/console/", "/accounts/", "/api/", "/static/"];

self.addEventListener("install", function (event) {
  event.waitUntil(caches.open(CACHE).then(function (cache) {
    // Each by itself: one file that is not there must not keep the others away.
    return Promise.all(KEPT.shell.map(function (address) {
      return fetch(address, { credentials: "omit", cache: "no-cache" }).then(function (answer) {
        return answer.ok ? cache.put(address, answer) : undefined;
      }).catch(function () { /* the next start tries again */ });
    }));
  }).then(function () { return self.skipWaiting(); }));
});

self.addEventListener("activate", function (event) {
  event.waitUntil(caches.keys().then(function (names) {
    return Promise.all(names.filter(function (name) { return name.startsWith("lipei-portal-") && name !== CACHE; })
      .map(function (name) { return caches.delete(name); }));
  }).then(function () { return self.clients.claim(); }));
});

self.addEventListener("message", function (event) {
  if (!event.data || typeof event.data.language !== "string") return;
  event.waitUntil(caches.open(CACHE).then(function (cache) { return cache.put(LANGUAGE, new Response(event.data.language)); }));
});

async function away() {
  const cache = await caches.open(CACHE), told = await cache.match(LANGUAGE), language = told ? await told.text() : "";
  const page = await cache.match(KEPT.offline.replace("LANGUAGE", language)) || await cache.match(KEPT.shell[KEPT.shell.length - 3]);
  if (!page) return Response.error();
  return new Response(page.body, { status: 503, headers: page.headers });
}

self.addEventListener("fetch", function (event) {
  const asked = event.request, where = new URL(asked.url);
  if (where.origin !== self.location.origin) return;
  if (asked.mode === "navigate") {
    if (NOT_OURS.some(function (start) { return where.pathname.startsWith(start); })) return;
    event.respondWith(fetch(asked).catch(away));
  } else if (asked.method === "GET" && KEPT.shell.includes(where.pathname + where.search)) {
    event.respondWith(caches.match(asked, { ignoreVary: true }).then(function (kept) { return kept || fetch(asked); }));
  }
});
