import assert from "node:assert/strict";
import { test } from "node:test";
import { observedPlaces } from "./observe-service.ts";

const at = (port: number) => ({ host: "127.0.0.1", port });
const metrics = (port: number) => ({ ...at(port), path: "/metrics" });

test("nothing is served where nothing is configured", () => {
  assert.deepEqual(observedPlaces({}), []);
});

test("health and metrics on one port are one place", () => {
  assert.deepEqual(observedPlaces({ http: at(8080), metrics: metrics(8080) }), [
    { at: at(8080), pages: { health: true, metrics: true } },
  ]);
});

test("on two ports each has its own pages, and scrapers may ask for the health", () => {
  assert.deepEqual(observedPlaces({ http: at(8080), metrics: metrics(9464) }), [
    { at: at(8080), pages: { health: true, metrics: false } },
    { at: metrics(9464), pages: { health: true, metrics: true } },
  ]);
});

test("port 0 is never the same place", () => {
  assert.equal(observedPlaces({ http: at(0), metrics: metrics(0) }).length, 2);
});
