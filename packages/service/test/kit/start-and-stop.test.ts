// The order in which a service starts and stops, and that a start which fails leaves nothing open.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, createChannel, createClient } from "@tercel/grpc";
import { createFakeClock } from "@tercel/grpc/testing";
import { defineService, startService } from "@tercel/service";
import type { Opened, Provider, ProviderHost } from "@tercel/service/providers";
import { testService } from "@tercel/service/testing";
import { object } from "valibot";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";
import { configOf, createRecorder, type Recorder } from "./recorded-parts.ts";

const concerns = ["events", "database", "cache"];

function definitionOf(recorder: Recorder) {
  return defineService({
    providers: concerns.map((concern) => recorder.provider(concern)),
    needs: { events: recorder.need("events"), db: recorder.need("database"), users: recorder.need("cache") },
    routes(router, { db, users, events }) {
      recorder.step("routes");
      router.service(EchoService, { unary: () => ({ text: [db, users, events].join(", ") }) });
    },
    background: {
      async sweep(_parts, signal) {
        recorder.step("background");
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        recorder.step("background ended");
      },
    },
  });
}

const start = [
  "migrate database",
  "open database",
  "open cache",
  "open events",
  "prepare database",
  "prepare cache",
  "prepare events",
  "routes",
  "begin database",
  "begin cache",
  "begin events",
  "background",
];

const stop = [
  "pause events",
  "pause cache",
  "pause database",
  "background ended",
  "end events",
  "end cache",
  "end database",
  "close events",
  "close cache",
  "close database",
];

describe("a service with needs", () => {
  it("opens its providers before its routes, and ends its work after the drain and before it closes them", async () => {
    const recorder = createRecorder();
    const service = await testService(definitionOf(recorder), { config: configOf(...concerns) });
    const { text } = await service.client(EchoService).unary({});
    assert.equal(text, "a part over the database port, a part over the cache port, a part over the events port");
    assert.deepEqual(recorder.steps, start);
    const { exitCode, problems } = await service.stop();
    assert.deepEqual([exitCode, problems], [0, []]);
    assert.deepEqual(recorder.steps.slice(start.length), stop);
    assert.equal(service.clock.pendingTimers, 0);
  });

  for (const failing of start.filter((step) => step !== "background")) {
    it(`closes what was opened when "${failing}" fails`, async () => {
      const recorder = createRecorder(failing);
      const starting = testService(definitionOf(recorder), { config: configOf(...concerns) });
      await assert.rejects(starting, new RegExp(`${failing} fails`));
      const opened = recorder.steps.filter((step) => step.startsWith("open ")).map((step) => step.slice(5));
      const prepared = recorder.steps.filter((step) => step.startsWith("prepare ")).map((step) => step.slice(8));
      const undone = recorder.steps.slice(start.indexOf(failing));
      assert.deepEqual(undone, [
        ...prepared.toReversed().map((concern) => `end ${concern}`),
        ...opened.toReversed().map((concern) => `close ${concern}`),
      ]);
    });
  }

  it("waits for a provider that is away, and closes what opens too late", async () => {
    const recorder = createRecorder();
    let attempts = 0;
    const late = Promise.withResolvers<Opened>();
    const closed = Promise.withResolvers<void>();
    const opened = (await recorder.provider("cache").open({}, {} as ProviderHost)) as Opened;
    const away: Provider = {
      ...recorder.provider("database"),
      async open() {
        attempts++;
        if (attempts < 3) throw new Error("connect ECONNREFUSED");
        return late.promise;
      },
    };
    const clock = createFakeClock();
    const logged: unknown[] = [];
    const definition = defineService({ providers: [away], needs: { db: recorder.need("database") }, routes() {} });
    const starting = testService(definition, {
      config: { ...configOf("database"), service: { start: { wait: "10s" } } },
      clock,
      onLog: ({ level, message }) => level === "warn" && logged.push(message),
    });
    const failure = assert.rejects(starting, /^Error: database recorded: timeout \(attempt 3, gave up after 10 s/);
    while (logged.length < 1) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(10_000);
    await failure;
    assert.equal(attempts, 3);
    assert.match(String(logged[0]), /^database recorded: connect ECONNREFUSED, attempt 1, next in 0\.\d s$/);
    late.resolve({ ...opened, close: async () => closed.resolve() });
    await closed.promise;
    assert.equal(clock.pendingTimers, 0);
  });

  it("is not ready while a provider that it requires is away, and says which", async () => {
    const recorder = createRecorder("check database");
    const service = await testService(definitionOf(recorder), { config: configOf(...concerns) });
    assert.equal(service.health.status(""), "NOT_SERVING");
    assert.equal(service.health.status(EchoService.typeName), "NOT_SERVING");
    assert.equal(service.health.status("tercel.self"), "SERVING");
    assert.equal(service.health.status("tercel.live"), "SERVING");
    recorder.failsAt = undefined;
    await service.clock.advance(10_000);
    assert.equal(service.health.status(EchoService.typeName), "SERVING");
    await service.stop();
  });

  it("serves without its cache", async () => {
    const recorder = createRecorder("check cache");
    const service = await testService(definitionOf(recorder), { config: configOf(...concerns) });
    assert.equal(service.health.status(""), "SERVING");
    await service.stop();
  });
});

/** A discovery that remembers who was registered. */
function recordedDiscovery(recorder: Recorder): Provider {
  const registered = {
    instance: undefined,
    isConfirmed: true,
    setHealth: () => {},
    deregister: async () => recorder.step("deregister"),
  };
  const registry = {
    description: "a registry in a test",
    canRegister: true,
    async register({ name, address, port }: { name: string; address: string; port: number }) {
      recorder.step(`register ${name} at ${address}:${port === 0 ? "0" : "its port"}`);
      return registered;
    },
    deregister: async () => {},
    getService: async () => [],
    watch: () => ({ ageMs: 0, close() {} }),
    close: async () => {},
  };
  return {
    concern: "discovery",
    type: "recorded",
    config: object({}),
    async open() {
      recorder.step("open discovery");
      const check = async (): Promise<void> => {};
      return {
        port: registry,
        describe: registry.description,
        check,
        close: async () => recorder.step("close discovery"),
      };
    },
  };
}

describe("a service with a stream that has no end", () => {
  it("ends it by the signal of its parts when it stops, instead of waiting for the drain to be over", async () => {
    let isOpen = (): void => {};
    const opened = new Promise<void>((resolve) => {
      isOpen = resolve;
    });
    const endless = defineService({
      routes(router, { stopping }) {
        router.service(EchoService, {
          async *serverStream() {
            yield { text: "open" };
            await new Promise((resolve) => stopping.addEventListener("abort", resolve));
            throw new ConnectError("the service is stopping", Code.Unavailable);
          },
        });
      },
    });
    const service = await testService(endless);
    const texts: string[] = [];
    const reading = (async () => {
      for await (const { text } of service.client(EchoService).serverStream({})) {
        texts.push(text);
        isOpen();
      }
    })();
    const failing = assert.rejects(reading, { code: Code.Unavailable });
    await opened;
    // The clock stands still: nothing else could end the stream.
    await service.stop();
    await failing;
    assert.deepEqual(texts, ["open"]);
  });
});

describe("a service that is known to others and has a call under way", () => {
  it("is NOT_SERVING, then deregistered, then takes no work, then drains, then ends the rest and closes", async (t) => {
    const recorder = createRecorder();
    const entered = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const definition = defineService({
      providers: [recorder.provider("database"), recordedDiscovery(recorder)],
      needs: { db: recorder.need("database") },
      routes(router, { health }) {
        health.follow("", (status) => recorder.step(`health ${status}`));
        router.service(EchoService, {
          async unary() {
            entered.resolve();
            await release.promise;
            recorder.step("call ended");
            return {};
          },
        });
      },
      background: {
        async sweep(_parts, signal) {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          recorder.step("background ended");
        },
      },
    });
    const service = await startService(definition, {
      file: false,
      overlays: false,
      variables: {},
      config: {
        ...configOf("database", "discovery"),
        service: { port: 0, name: "echo" },
        logging: { providers: { console: { level: "error" } } },
      },
    });
    t.after(() => {
      release.resolve();
      return service.stop();
    });
    assert.deepEqual(recorder.steps.slice(-3), [
      "begin database",
      "health SERVING",
      "register echo at 127.0.0.1:its port",
    ]);
    const { port } = service.address as { port: number };
    const channel = createChannel(`127.0.0.1:${port}`);
    t.after(() => channel.close());
    const call = createClient(EchoService, channel).unary({});
    await entered.promise;
    const before = recorder.steps.length;
    const stopped = service.stop();
    while (!recorder.steps.includes("pause database")) await new Promise((resolve) => setImmediate(resolve));
    release.resolve();
    await call;
    assert.equal((await stopped).exitCode, 0);
    assert.deepEqual(recorder.steps.slice(before), [
      "health NOT_SERVING",
      "deregister",
      "pause database",
      "call ended",
      "background ended",
      "end database",
      "close discovery",
      "close database",
    ]);
  });
});
