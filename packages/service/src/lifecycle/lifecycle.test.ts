import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { runLifecycle } from "./lifecycle.ts";
import type { Lifecycle } from "./lifecycle-contract.ts";
import type { LifecycleOptions } from "./lifecycle-options.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** Runs a setup without the process's signals; `started` resolves when it is through. */
function run(setUp: (life: Lifecycle) => Promise<void>, options: LifecycleOptions = {}) {
  const { promise: started, resolve } = Promise.withResolvers<Lifecycle>();
  const ended = runLifecycle(
    async (life) => {
      await setUp(life);
      resolve(life);
    },
    { signals: [], log: quiet, ...options },
  );
  return { started, ended };
}

describe("a program's life", () => {
  it("leaves no abort listener on any signal", async (t) => {
    const signals = new Set<AbortSignal>();
    const { addEventListener } = EventTarget.prototype;
    t.mock.method(EventTarget.prototype, "addEventListener", function (this: EventTarget, ...given: unknown[]) {
      if (this instanceof AbortSignal && given[0] === "abort") signals.add(this);
      return Reflect.apply(addEventListener, this, given);
    });
    const clock = createFakeClock();
    const { started, ended } = run(
      async (life) => {
        await life.start("database", () => {});
        const options = { health: createHealth({ log: quiet }) };
        await life.serve(createServer({ routes: () => {} }), { port: 0 }, options);
      },
      { clock, propagationMs: 100 },
    );
    const life = await started;
    t.after(() => life.stop("the test is over"));
    await clock.advance(0);
    // What waits for the stop, and nothing of the start.
    assert.equal(getEventListeners(life.signal, "abort").length, 1);
    life.stop("enough");
    await clock.advance(100);
    assert.equal((await ended).exitCode, 0);
    assert.ok(signals.size >= 2);
    for (const signal of signals) assert.equal(getEventListeners(signal, "abort").length, 0);
  });

  it("starts its parts in order and stops them in reverse", async () => {
    const steps: string[] = [];
    const { started, ended } = run(async (life) => {
      for (const name of ["database", "cache", "channel"]) {
        await life.start(
          name,
          async () => {
            steps.push(`start ${name}`);
            return name;
          },
          async (resource) => void steps.push(`stop ${resource}`),
        );
      }
    });
    (await started).stop("enough");
    assert.deepEqual(await ended, { reason: "enough", forced: false, problems: [], exitCode: 0 });
    assert.deepEqual(steps, [
      "start database",
      "start cache",
      "start channel",
      "stop channel",
      "stop cache",
      "stop database",
    ]);
  });

  it("undoes what had started when a part fails to start, and says which failure it was", async () => {
    const stopped: string[] = [];
    const { ended } = run(async (life) => {
      await life.start(
        "database",
        () => "db",
        (name) => stopped.push(name),
      );
      await life.start(
        "cache",
        () => "cache",
        (name) => stopped.push(name),
      );
      await life.start("queue", () => Promise.reject(new Error("no route to host")));
    });
    await assert.rejects(ended, /no route to host/);
    assert.deepEqual(stopped, ["cache", "db"]);
  });

  it("undoes what had started when the port is taken", async () => {
    const other = createServer({ routes() {} });
    const { port } = await other.listen({ port: 0 });
    const stopped: string[] = [];
    const { ended } = run(async (life) => {
      await life.start(
        "database",
        () => "db",
        (name) => stopped.push(name),
      );
      await life.serve(createServer({ routes() {} }), { port });
    });
    await assert.rejects(ended, /EADDRINUSE/);
    assert.deepEqual(stopped, ["db"]);
    await other.close();
  });

  it("starts nothing more when the stop is asked for during the start", async () => {
    const steps: string[] = [];
    const { ended } = run(async (life) => {
      await life.start(
        "database",
        () => {
          life.stop("SIGTERM");
          steps.push("start database");
        },
        () => steps.push("stop database"),
      );
      steps.push("never here");
    });
    assert.equal((await ended).exitCode, 0);
    assert.deepEqual(steps, ["start database", "stop database"]);
  });

  it("has not failed when a part gives up because of the stop", async () => {
    const steps: string[] = [];
    const entered = Promise.withResolvers<Lifecycle>();
    const { ended } = run(async (life) => {
      await life.start(
        "store",
        () => {},
        () => steps.push("store stopped"),
      );
      await life.start("database", async () => {
        entered.resolve(life);
        await new Promise((resolve) => life.signal.addEventListener("abort", resolve, { once: true }));
        throw new Error("given up");
      });
    });
    (await entered.promise).stop("enough");
    const { exitCode, problems } = await ended;
    assert.deepEqual([exitCode, problems, steps], [0, [], ["store stopped"]]);
  });

  it("goes on stopping when a part fails to stop, and reports it", async () => {
    const stopped: string[] = [];
    const { started, ended } = run(async (life) => {
      await life.start(
        "database",
        () => "db",
        (name) => stopped.push(name),
      );
      await life.start(
        "cache",
        () => {},
        () => Promise.reject(new Error("already gone")),
      );
    });
    (await started).stop("SIGTERM");
    const outcome = await ended;
    assert.deepEqual(stopped, ["db"]);
    assert.equal(outcome.exitCode, 1);
    assert.deepEqual(
      outcome.problems.map((problem) => problem.message),
      ["cache did not stop: already gone"],
    );
  });

  it("leaves a part behind that does not stop in time", async () => {
    const clock = createFakeClock();
    const { started, ended } = run(
      async (life) => {
        await life.start(
          "stuck",
          () => {},
          () => new Promise(() => {}),
        );
      },
      { clock, stopTimeoutMs: 500 },
    );
    (await started).stop("SIGTERM");
    let isOver = false;
    ended.then(() => {
      isOver = true;
    });
    // Let the stop begin before time goes on.
    await clock.advance(0);
    await clock.advance(499);
    assert.equal(isOver, false);
    await clock.advance(1);
    const { problems } = await ended;
    assert.match(problems[0]?.message ?? "", /stuck did not stop: timeout after 500 ms/);
    assert.equal(clock.pendingTimers, 0);
  });

  it("stops when the given signal aborts, also if it has before the start", async () => {
    const controller = new AbortController();
    const { started, ended } = run(async () => {}, { signal: controller.signal });
    await started;
    controller.abort("config changed");
    assert.equal((await ended).reason, "config changed");
    const before = run(async (life) => void (await life.start("database", () => {})), {
      signal: AbortSignal.abort("no"),
    });
    assert.equal((await before.ended).reason, "no");
  });

  it("does not wait for ever for a part that is being started, and stops that when it comes", async () => {
    const clock = createFakeClock();
    const steps: string[] = [];
    const late = Promise.withResolvers<void>();
    const controller = new AbortController();
    const { ended } = run(
      async (life) => {
        await life.start(
          "database",
          () => {},
          () => steps.push("stop database"),
        );
        await life.start(
          "cache",
          () => late.promise,
          () => steps.push("stop cache"),
        );
        steps.push("never here");
      },
      { clock, stopTimeoutMs: 500, signal: controller.signal },
    );
    await clock.advance(0);
    controller.abort("SIGTERM");
    await clock.advance(0);
    await clock.advance(499);
    assert.deepEqual(steps, []);
    await clock.advance(1);
    const { problems, exitCode } = await ended;
    assert.match(problems[0]?.message ?? "", /still starting 500 ms after the stop request/);
    assert.equal(exitCode, 1);
    assert.deepEqual(steps, ["stop database"]);
    late.resolve();
    await clock.advance(0);
    assert.deepEqual(steps, ["stop database", "stop cache"]);
    assert.equal(clock.pendingTimers, 0);
  });

  it("waits for nothing more when a second signal comes during the start", async () => {
    const name = "SIGWINCH";
    const clock = createFakeClock();
    const { ended } = run(async (life) => void (await life.start("database", () => new Promise(() => {}))), {
      clock,
      signals: [name],
    });
    await clock.advance(0);
    process.emit(name, name);
    await clock.advance(0);
    await clock.advance(500);
    process.emit(name, name);
    const { forced, exitCode } = await ended;
    assert.deepEqual([forced, exitCode], [true, 1]);
    assert.equal(clock.pendingTimers, 0);
  });

  it("refuses options no one knows", async () => {
    await assert.rejects(
      runLifecycle(async () => {}, { drainms: 1 } as LifecycleOptions),
      /did you mean "drainMs"/,
    );
    await assert.rejects(
      runLifecycle(async () => {}, { stopTimeoutMs: 0 }),
      RangeError,
    );
  });
});

/** A served life whose one method answers when the test says so. */
async function serveHealth(options: LifecycleOptions = {}) {
  const events: string[] = [];
  const health = createHealth();
  const server = createServer({ routes: health.routes });
  const { started, ended } = run(async (life) => {
    await life.start(
      "database",
      () => {},
      () => events.push("database closed"),
    );
    await life.serve(
      server,
      { port: 0 },
      {
        health,
        async register({ port }) {
          events.push(port === undefined ? "no port" : "registered");
          return () => events.push(`deregistered while ${health.status("")}`);
        },
      },
    );
  }, options);
  const life = await started;
  const address = server.address as { port: number };
  const channel = createChannel(`127.0.0.1:${address.port}`);
  return { events, health, server, life, ended, channel, client: createClient(health.service, channel) };
}

describe("a server's life", () => {
  it("ends with NOT_SERVING, deregistration, drain and the resources, in this order", async (t) => {
    const clock = createFakeClock();
    const { events, health, life, ended, channel, client } = await serveHealth({ clock, propagationMs: 3000 });
    t.after(() => channel.close());
    assert.equal((await client.check({})).status, 1);
    life.stop("SIGTERM");
    await clock.advance(0);
    await clock.advance(2999);
    assert.equal(health.status(""), "NOT_SERVING");
    assert.deepEqual(events, ["registered"]);
    // While the news spreads, calls are served.
    assert.equal((await client.check({})).status, 2);
    await clock.advance(1);
    assert.equal((await ended).exitCode, 0);
    assert.deepEqual(events, ["registered", "deregistered while NOT_SERVING", "database closed"]);
    await assertStatus(client.check({}), Code.Unavailable);
  });

  it("that does not start ends the checks of its health", async () => {
    const clock = createFakeClock();
    const health = createHealth({ clock, log: quiet, checks: [{ name: "database", check: () => {} }] });
    const server = createServer({ routes: health.routes, clock });
    const { ended } = run(
      async (life) => {
        await life.serve(server, { port: 0 }, { health, register: () => Promise.reject(new Error("no registry")) });
      },
      { clock },
    );
    await assert.rejects(ended, /no registry/);
    assert.deepEqual([server.address, health.status(""), clock.pendingTimers], [undefined, "NOT_SERVING", 0]);
  });

  it("is cut short by a second signal, not by the echo of the first", async (t) => {
    const clock = createFakeClock();
    const name = "SIGWINCH";
    const listenersBefore = process.listenerCount(name);
    const { health, events, ended, channel, client } = await serveHealth({
      clock,
      signals: [name],
      propagationMs: 60_000,
    });
    t.after(() => channel.close());
    const watching = client.watch({})[Symbol.asyncIterator]();
    await watching.next();
    process.emit(name, name);
    await clock.advance(0);
    await clock.advance(499);
    process.emit(name, name);
    assert.equal(health.status(""), "NOT_SERVING");
    assert.deepEqual(events, ["registered"]);
    await clock.advance(1);
    process.emit(name, name);
    const outcome = await ended;
    assert.deepEqual([outcome.reason, outcome.forced, outcome.exitCode], [name, true, 1]);
    assert.equal((await watching.next()).value?.status, 2);
    await assert.rejects(watching.next());
    assert.equal(process.listenerCount(name), listenersBefore);
  });
});
