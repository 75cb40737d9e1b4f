import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { OrcaLoadReportSchema } from "../../gen/xds/data/orca/v3/orca_load_report_pb.ts";
import { encodeBinaryValue } from "../../protocol/metadata-field.ts";
import { endpointsOf, ScriptedLoad, setUpPolicy } from "../testing/policy-host.ts";
import type { CallOutcome } from "./index.ts";
import { createWeightedRoundRobin } from "./weighted-round-robin.ts";

const factory = createWeightedRoundRobin({ random: () => 0 });

function outcomeWith(trailer: string | null): CallOutcome {
  return { code: undefined, trailer: (name) => (name === "endpoint-load-metrics-bin" ? trailer : null) };
}

function reporting(rpsFractional: number, cpuUtilization: number): CallOutcome {
  const report = create(OrcaLoadReportSchema, { rpsFractional, cpuUtilization });
  return outcomeWith(encodeBinaryValue(toBinary(OrcaLoadReportSchema, report)));
}

/** Three endpoints that are ready, after each has reported for a call. */
async function setUpReporting(json: Record<string, unknown> = {}) {
  const setup = setUpPolicy(factory);
  setup.balancer.update({ ...endpointsOf("a:1", "b:2", "c:3"), config: factory.parseConfig?.(json as never) });
  await setup.connectAll();
  const load: Record<string, number> = { "a:1": 0.25, "b:2": 0.5, "c:3": 0.5 };
  const reportAll = (): void => {
    const seen = new Set<string>();
    while (seen.size < 3) {
      const { address, tracker } = setup.startCall();
      seen.add(address);
      tracker?.onEnd(reporting(100, load[address] ?? 0));
    }
  };
  return { ...setup, reportAll };
}

function countsOf(sequence: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const address of sequence.split(" ")) counts[address] = (counts[address] ?? 0) + 1;
  return counts;
}

test("takes turns until reports have counted for the blackout, then follows the weights", async () => {
  const { clock, sequence, reportAll } = await setUpReporting();
  assert.equal(sequence(6), "b:2 c:3 a:1 b:2 c:3 a:1");
  reportAll();
  await clock.advance(9000);
  assert.deepEqual(countsOf(sequence(300)), { "a:1": 100, "b:2": 100, "c:3": 100 });
  await clock.advance(1000);
  assert.deepEqual(countsOf(sequence(400)), { "a:1": 200, "b:2": 100, "c:3": 100 });
});

test("weighs again once a second, or as often as its config says, at most every 100 ms", async () => {
  for (const [period, expectedMs] of [
    [undefined, 1000],
    ["3s", 3000],
    ["0.001s", 100],
  ] as const) {
    const { clock, sequence, reportAll } = await setUpReporting({
      blackoutPeriod: "0s",
      ...(period !== undefined && { weightUpdatePeriod: period }),
    });
    reportAll();
    await clock.advance(expectedMs - 1);
    assert.equal(countsOf(sequence(300))["a:1"], 100);
    await clock.advance(1);
    assert.equal(countsOf(sequence(400))["a:1"], 200);
  }
});

test("takes turns again when the reports have expired", async () => {
  const { clock, sequence, reportAll } = await setUpReporting({ blackoutPeriod: "0s", weightExpirationPeriod: "20s" });
  reportAll();
  await clock.advance(19_000);
  assert.equal(countsOf(sequence(400))["a:1"], 200);
  await clock.advance(1000);
  assert.equal(countsOf(sequence(300))["a:1"], 100);
});

test("is not disturbed by a report that cannot be read", async () => {
  const { startCall, sequence } = await setUpReporting();
  for (const trailer of ["!", "AAAA", encodeBinaryValue(new Uint8Array(64).fill(0xff)), ""]) {
    startCall().tracker?.onEnd(outcomeWith(trailer));
  }
  assert.equal(countsOf(sequence(300))["a:1"], 100);
});

test("asks for reports out of band if its config says so, while an endpoint is ready, and does not read trailers then", async () => {
  const load = new ScriptedLoad();
  const { clock, balancer, attempt, connectAll, sequence, startCall } = setUpPolicy(factory, { load });
  const config = factory.parseConfig?.({ enableOobLoadReport: true, oobReportingPeriod: "2s", blackoutPeriod: "0s" });
  balancer.update({ ...endpointsOf("a:1", "b:2"), config });
  const connections = await connectAll();
  assert.deepEqual(load.watched(), { "a:1": 2000, "b:2": 2000 });
  assert.equal(startCall().tracker, undefined);
  load.report("a:1", { rpsFractional: 100, cpuUtilization: 0.25 });
  load.report("b:2", { rpsFractional: 100, cpuUtilization: 0.5 });
  await clock.advance(1000);
  assert.deepEqual(countsOf(sequence(300)), { "a:1": 200, "b:2": 100 });

  connections.get("a:1")?.lose(undefined);
  assert.deepEqual(load.watched(), { "b:2": 2000 });
  await attempt("a:1").succeed();
  balancer.update({ ...endpointsOf("a:1", "b:2"), config: factory.parseConfig?.({}) });
  assert.deepEqual(load.watched(), {});
  assert.notEqual(startCall().tracker, undefined);
  balancer.update({ ...endpointsOf("a:1", "b:2"), config });
  balancer.close();
  assert.deepEqual(load.watched(), {});
  assert.equal(clock.pendingTimers, 0);
});

test("has no timer while no endpoint is ready", async () => {
  const { clock, balancer, connectAll, attempt, pickedAddress } = setUpPolicy(factory);
  balancer.update(endpointsOf("a:1"));
  const connections = await connectAll();
  pickedAddress();
  assert.equal(clock.pendingTimers, 1);
  connections.get("a:1")?.lose(undefined);
  assert.equal(clock.pendingTimers, 0);
  await attempt("a:1").succeed();
  pickedAddress();
  assert.equal(clock.pendingTimers, 1);
  balancer.update(endpointsOf());
  assert.equal(clock.pendingTimers, 0);
});

test("reads its config and refuses what it cannot be", () => {
  assert.deepEqual(factory.parseConfig?.({ errorUtilizationPenalty: 0.5, weightUpdatePeriod: "0.1s" }), {
    enableOobLoadReport: false,
    oobReportingPeriodMs: 10_000,
    blackoutMs: 10_000,
    expirationMs: 180_000,
    weightUpdatePeriodMs: 100,
    errorUtilizationPenalty: 0.5,
  });
  for (const json of [{ errorUtilizationPenalty: -1 }, { blackoutPeriod: "10" }, { blackoutPeriod: "-1s" }]) {
    assert.throws(() => factory.parseConfig?.(json), /^TypeError: weighted_round_robin: /);
  }
});
