import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { hostileValues } from "@tercel/test-support/hostile-values";
import { HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.ts";
import type { LogFields } from "../../logging/log.ts";
import { createFakeClock } from "../../time/fake-clock.ts";
import type { HealthCheck } from "./dependency-checks.ts";
import { createHealth } from "./health.ts";
import { askHealth } from "./service-check.ts";

/** A health service whose dependencies are there or not as the test says. */
function setUp(...checks: (Partial<HealthCheck> & { name: string })[]) {
  const clock = createFakeClock();
  const lines: [level: string, fields: LogFields | undefined][] = [];
  const note = (level: string) => (_message: string, fields?: LogFields) => void lines.push([level, fields]);
  const log = { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") };
  const problems = new Map<string, Error>();
  const asked = new Map<string, number>();
  const health = createHealth({
    clock,
    log,
    checks: checks.map((given) => ({
      check() {
        asked.set(given.name, (asked.get(given.name) ?? 0) + 1);
        const problem = problems.get(given.name);
        if (problem !== undefined) throw problem;
      },
      ...given,
    })),
  });
  health.setStatus("a.A", "SERVING");
  health.setStatus("b.B", "SERVING");
  return { clock, lines, problems, asked, health };
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

describe("health with dependencies", () => {
  it("does not serve before the first check of what it requires", async () => {
    const { health } = setUp({ name: "database" });
    assert.equal(health.status("a.A"), "NOT_SERVING");
    assert.equal(health.dependencies()[0]?.state, "unknown");
    await health.start();
    assert.equal(health.status("a.A"), "SERVING");
    assert.equal(health.status(""), "SERVING");
    health.shutdown();
  });

  it("stops serving when a dependency goes, says why, and serves again when it is back", async () => {
    const { health, clock, problems, lines } = setUp({ name: "database", intervalMs: 1000 });
    await health.start();
    problems.set("database", new Error("connection refused"));
    await clock.advance(999);
    assert.equal(health.status("a.A"), "SERVING");
    await clock.advance(1);
    assert.equal(health.status("a.A"), "NOT_SERVING");
    const [report] = health.dependencies();
    assert.deepEqual(
      [report?.state, report?.problem, report?.sinceMs],
      ["missing", "connection refused", clock.nowMs()],
    );
    assert.deepEqual(lines.at(-1), ["warn", { dependency: "database", required: true, problem: "connection refused" }]);
    problems.clear();
    await clock.advance(1000);
    assert.equal(health.status("a.A"), "SERVING");
    assert.equal(lines.at(-1)?.[0], "info");
    health.shutdown();
  });

  it("takes a check without an answer in time for failed, and tells it so", async () => {
    let aborted = false;
    const { health, clock } = setUp({
      name: "slow",
      timeoutMs: 200,
      check: (signal) =>
        new Promise(() => {
          signal.addEventListener("abort", () => {
            aborted = true;
          });
        }),
    });
    const started = health.start();
    await clock.advance(199);
    assert.equal(health.dependencies()[0]?.state, "unknown");
    await clock.advance(1);
    await started;
    assert.equal(health.dependencies()[0]?.problem, "no answer within 200 ms");
    assert.ok(aborted);
    health.shutdown();
  });

  it("keeps only those services back that need what is missing, and the server as a whole", async () => {
    const { health, problems } = setUp({ name: "queue", services: ["a.A"] });
    problems.set("queue", new Error("down"));
    await health.start();
    assert.deepEqual(
      [health.status("a.A"), health.status("b.B"), health.status("")],
      ["NOT_SERVING", "SERVING", "NOT_SERVING"],
    );
    health.shutdown();
  });

  it("reports what is not required without stopping for it", async () => {
    const { health, problems } = setUp({ name: "cache", required: false });
    problems.set("cache", new Error("down"));
    await health.start();
    assert.equal(health.status("a.A"), "SERVING");
    assert.equal(health.dependencies()[0]?.state, "missing");
    health.shutdown();
  });

  it("forgives as many failures as it is told to, once the dependency was there", async () => {
    const { health, clock, problems } = setUp({ name: "database", intervalMs: 10, failuresUntilMissing: 3 });
    await health.start();
    problems.set("database", new Error("down"));
    await clock.advance(20);
    assert.equal(health.status("a.A"), "SERVING");
    await clock.advance(10);
    assert.equal(health.status("a.A"), "NOT_SERVING");
    health.shutdown();
  });

  it("never makes a service serve that was not set to", async () => {
    const { health } = setUp({ name: "database" });
    health.setStatus("a.A", "NOT_SERVING");
    await health.start();
    assert.equal(health.status("a.A"), "NOT_SERVING");
    assert.equal(health.status("c.C"), undefined);
    health.shutdown();
  });

  it("tells those who watch", async () => {
    const { health, clock, problems } = setUp({ name: "database", intervalMs: 10 });
    await health.start();
    const client = createClient(health.service, createRouterTransport(health.routes));
    const abort = new AbortController();
    const seen = client.watch({ service: "a.A" }, { signal: abort.signal })[Symbol.asyncIterator]();
    assert.equal((await seen.next()).value?.status, Status.SERVING);
    problems.set("database", new Error("down"));
    await clock.advance(10);
    assert.equal((await seen.next()).value?.status, Status.NOT_SERVING);
    abort.abort();
    await assert.rejects(seen.next());
    health.shutdown();
  });

  it("asks no more, and leaves no timer, once it is shut down", async () => {
    const { health, clock, asked } = setUp({ name: "database", intervalMs: 10 });
    await health.start();
    await clock.advance(10);
    assert.equal(asked.get("database"), 2);
    health.shutdown();
    assert.equal(clock.pendingTimers, 0);
    assert.equal(health.status("a.A"), "NOT_SERVING");
  });

  it("gives up a check that is under way when it is shut down", async () => {
    const { health, clock } = setUp({ name: "slow", check: () => new Promise(() => {}) });
    const started = health.start();
    health.shutdown();
    await started;
    assert.equal(clock.pendingTimers, 0);
  });

  it("takes a check that throws anything for failed, and says what it can", async () => {
    for (const make of Object.values(hostileValues)) {
      const check = () => {
        throw make();
      };
      const health = createHealth({ checks: [{ name: "database", check }], clock: createFakeClock(), log: silent });
      await health.start();
      const [report] = health.dependencies();
      assert.equal(report?.state, "missing");
      assert.equal(typeof report?.problem, "string");
      health.shutdown();
    }
  });

  it("refuses checks that are none", () => {
    const check = (): void => {};
    assert.throws(() => createHealth({ checks: [{ name: "", check }] }), /needs a name/);
    assert.throws(() => setUp({ name: "a" }, { name: "a" }), /two checks have the name "a"/);
    assert.throws(() => createHealth({ checks: [{ name: "a", check, timeoutMs: 0 }] }), /timeoutMs is 0/);
    assert.throws(
      () => createHealth({ checks: [{ name: "a", check, intervallMs: 1 } as HealthCheck] }),
      /did you mean "intervalMs"/,
    );
    assert.throws(() => createHealth({ check: [] } as object), /did you mean "checks"/);
  });
});

describe("a check by another service's health", () => {
  it("passes while that service serves, and fails with what it says otherwise", async () => {
    const other = createHealth();
    other.setStatus("o.Order", "SERVING");
    const transport = createRouterTransport(other.routes);
    const { signal } = new AbortController();
    await askHealth(transport, "o.Order")(signal);
    await askHealth(transport)(signal);
    await assert.rejects(askHealth(transport, "o.Odor")(signal), /unknown service/);
    other.setStatus("o.Order", "NOT_SERVING");
    await assert.rejects(askHealth(transport, "o.Order")(signal), /o\.Order says NOT_SERVING/);
  });
});
