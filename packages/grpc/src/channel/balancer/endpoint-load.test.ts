import assert from "node:assert/strict";
import { test } from "node:test";
import { EndpointLoad } from "./endpoint-load.ts";

const settings = { blackoutMs: 10_000, expirationMs: 180_000, errorUtilizationPenalty: 1 };
const eager = { ...settings, blackoutMs: 0 };
const nothing = { cpuUtilization: 0, applicationUtilization: 0, rpsFractional: 0, eps: 0 };

test("weighs queries per second by utilization, the application's before the processor's", () => {
  const load = new EndpointLoad();
  load.report({ ...nothing, rpsFractional: 100, cpuUtilization: 0.5 }, 1, 0);
  assert.equal(load.weight(eager, 0), 200);
  load.report({ ...nothing, rpsFractional: 100, cpuUtilization: 0.5, applicationUtilization: 2 }, 1, 0);
  assert.equal(load.weight(eager, 0), 50);
});

test("makes errors count as utilization, as much as the penalty says", () => {
  const load = new EndpointLoad();
  load.report({ ...nothing, rpsFractional: 100, eps: 50, cpuUtilization: 0.5 }, 1, 0);
  assert.equal(load.weight(eager, 0), 100);
  load.report({ ...nothing, rpsFractional: 100, eps: 50, cpuUtilization: 0.5 }, 0, 0);
  assert.equal(load.weight(eager, 0), 200);
});

test("learns nothing from a report without load or without queries", () => {
  const load = new EndpointLoad();
  load.report({ ...nothing, rpsFractional: 100 }, 1, 0);
  load.report({ ...nothing, cpuUtilization: 1 }, 1, 0);
  load.report({ ...nothing, cpuUtilization: Number.NaN, rpsFractional: 1 }, 1, 0);
  load.report({ ...nothing, cpuUtilization: 1, rpsFractional: Number.POSITIVE_INFINITY }, 1, 0);
  assert.equal(load.weight(eager, 0), 0);
});

test("keeps its weight back during the blackout, and for one more after a new connection", () => {
  const load = new EndpointLoad();
  const report = { ...nothing, rpsFractional: 10, cpuUtilization: 1 };
  load.report(report, 1, 0);
  assert.equal(load.weight(settings, 9999), 0);
  assert.equal(load.weight(settings, 10_000), 10);
  load.reconnected();
  assert.equal(load.weight(settings, 10_000), 0);
  load.report(report, 1, 20_000);
  assert.equal(load.weight(settings, 29_999), 0);
  assert.equal(load.weight(settings, 30_000), 10);
});

test("forgets a weight that no one has confirmed for long, and begins a blackout with the next", () => {
  const load = new EndpointLoad();
  const report = { ...nothing, rpsFractional: 10, cpuUtilization: 1 };
  load.report(report, 1, 0);
  assert.equal(load.weight(settings, 179_999), 10);
  assert.equal(load.weight(settings, 180_000), 0);
  load.report(report, 1, 200_000);
  assert.equal(load.weight(settings, 209_999), 0);
  assert.equal(load.weight(settings, 210_000), 10);
});
