// Keeps the surveyor's pages for a dead spot: what was opened with a network opens without one. Nothing is kept longer
// than a day, and whatever one person's pages were is gone when another signs in on this phone.
"use strict";
const SHELVES = "lipei-visits-";
const KEEP_MS = 24 * 3600 * 1000;
let shelf = SHELVES + "nobody";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  if (!event.data || !event.data.who) return;
  shelf = SHELVES + event.data.who;
  const pages = event.data.pages || [];
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith(SHELVES) && name !== shelf) await caches.delete(name);
    const kept = await caches.open(shelf);
    // What this page loads, and the pages it leads to: so that the first tunnel of the day is no surprise.
    await Promise.all(pages.map(async (address) => {
      const answer = await fetch(address, { credentials: "same-origin", redirect: "manual" }).catch(() => null);
      if (answer && answer.ok && answer.type === "basic") await kept.put(address, answer);
    }));
  })());
});

self.addEventListener("fetch", (event) => {
  const asked = event.request, address = new URL(asked.url);
  if (asked.method !== "GET" || address.origin !== self.location.origin) return;
  if (asked.mode === "navigate" || address.pathname.startsWith("/static/")) event.respondWith(answered(asked));
});

async function mine() {
  for (const name of await caches.keys()) if (name.startsWith(SHELVES)) return caches.open(name);
  return caches.open(shelf);
}

async function answered(asked) {
  const kept = await mine();
  if (new URL(asked.url).pathname.startsWith("/static/")) {
    const known = await kept.match(asked);
    if (known) return known;
  }
  try {
    const answer = await fetch(asked);
    if (answer.ok && answer.type === "basic" && !answer.redirected) kept.put(asked.url, answer.clone());
    return answer;
  } catch (fault) {
    const known = await kept.match(asked.url);
    const at = known && Date.parse(known.headers.get("Date") || "");
    if (known && (!at || Date.now() - at < KEEP_MS)) return known;
    throw fault;
  }
}
