import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { Code } from "@connectrpc/connect";
import { createClient } from "@tercel/grpc";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { createRegistry, exposition } from "@tercel/interceptors/metrics";
import { optional, strictObject } from "valibot";
import { choice } from "../../config/index.ts";
import { EventHub } from "../../gen/tercel/events/v1/event_hub_pb.ts";
import type { Provider } from "../../provider.ts";
import { createInMemoryServer, type InMemoryServer } from "../../testing/in-memory-server.ts";
import { createTestLog } from "../../testing/test-log.ts";
import { defineService } from "../definition/definition.ts";
import { loadDefinition } from "../definition/load-definition.ts";
import { startLoaded } from "../run/start-loaded.ts";
import type { ReloadedConfig } from "./reloaded-config.ts";

interface Settings {
  readonly mode: string;
}

const settings = strictObject({ mode: optional(choice(["open", "closed"], { reload: true }), "open") });

/** A provider that takes a change of one of its keys, and needs a restart for another. */
function fussyProvider(taken: unknown[]): Provider {
  return {
    concern: "database",
    type: "fussy",
    config: strictObject({
      pool: optional(choice(["small", "large"], { reload: true }), "small"),
      engine: optional(choice(["a", "b"], { reload: true }), "a"),
    }),
    open: async () => ({
      port: {},
      describe: "a fussy database",
      check: async () => {},
      close: async () => {},
      reload(config) {
        taken.push(config);
        return (config as { readonly engine: string }).engine === "a" ? "taken" : "restart";
      },
    }),
  };
}

/** A service in memory whose configuration is a file. */
async function start(t: TestContext, yaml: string) {
  const folder = mkdtempSync(join(tmpdir(), "tercel-reload-"));
  const file = join(folder, "config.yaml");
  writeFileSync(file, yaml);
  const taken: unknown[] = [];
  const reloads: ReloadedConfig<Settings>[] = [];
  const lines: { readonly level: string; readonly message: string; readonly problem?: string }[] = [];
  const definition = defineService({
    settings,
    providers: [fussyProvider(taken)],
    needs: { db: { concern: "database", prepare: () => ({ port: 0 }) } },
    routes(router, { onConfigChange }) {
      onConfigChange((reloaded) => void reloads.push(reloaded as ReloadedConfig<Settings>));
      router.service(EventHub, {
        append: (_request, context) => {
          // What a call without a deadline of its own gets.
          context.responseHeader.set("time-left", String(Math.round(context.timeoutMs() ?? -1)));
          return {};
        },
      });
    },
  });
  const loaded = await loadDefinition(definition, { folder, variables: { NODE_ENV: "test" } });
  const clock = createFakeClock();
  const metrics = createRegistry();
  const levels: string[] = [];
  let onOutcome = (): void => {};
  const log = createTestLog((line) => {
    const entry = line as (typeof lines)[number];
    lines.push(entry);
    if (/^configuration reloaded|^invalid configuration after a change/.test(entry.message)) onOutcome();
  });
  let server: InMemoryServer | undefined;
  let onChange = (): void => {};
  const running = await startLoaded(loaded, {
    log,
    clock,
    metrics,
    shownMetrics: metrics,
    setLogLevel: (level) => void levels.push(level),
    watch: {
      settleMs: 100,
      pollMs: 0,
      watchFolder(_folder, changed) {
        onChange = changed;
        return () => {};
      },
    },
    createServer(options) {
      server = createInMemoryServer(options, { clock });
      return server.server;
    },
  });
  const { transport } = server as unknown as InMemoryServer;
  t.after(async () => {
    const closed = transport.close();
    await running.stop();
    await closed;
    rmSync(folder, { recursive: true });
    assert.equal(clock.pendingTimers, 0);
  });
  const client = createClient(EventHub, transport);
  return {
    running,
    clock,
    metrics,
    lines,
    levels,
    taken,
    reloads,
    client,
    /** Writes the file, and resolves when the service logged that it was reloaded or is invalid. */
    async change(changed: string): Promise<void> {
      const outcome = Promise.withResolvers<void>();
      onOutcome = outcome.resolve;
      writeFileSync(file, changed);
      onChange();
      await clock.advance(100);
      await outcome.promise;
      // The listeners are called in promise jobs.
      await new Promise((resolve) => setImmediate(resolve));
    },
    async timeLeft(): Promise<number> {
      let left = "";
      await client.append(
        {},
        {
          onHeader(header) {
            left = header.get("time-left") ?? "";
          },
        },
      );
      return Number(left);
    },
  };
}

const base = "database:\n  providers:\n    fussy: {}\n";

describe("a service whose configuration changes", () => {
  it("takes the log level, deadlines and settings at once, and tells those who asked", async (t) => {
    const service = await start(t, base);
    assert.equal(await service.timeLeft(), -1);
    await service.change(
      `${base}app: {mode: closed}\nlogging: {providers: {console: {level: debug}}}\ncommunication: {providers: {grpc: {timeout: 7s}}}\n`,
    );
    assert.equal(await service.timeLeft(), 7000);
    assert.equal(service.levels.at(-1), "debug");
    assert.deepEqual(
      service.reloads.map(({ settings: { mode }, changes }) => [mode, changes.map(({ path }) => path).toSorted()]),
      [["closed", ["app.mode", "communication.providers.grpc.timeout", "logging.providers.console.level"]]],
    );
    await service.change(`${base}communication: {providers: {grpc: {max_timeout: 3s}}}\n`);
    assert.equal(await service.timeLeft(), 3000);
  });

  it("changes rate limits, and turns them off and on", async (t) => {
    const service = await start(t, `${base}rate_limit: {calls: 1}\n`);
    const call = (): Promise<unknown> => service.client.append({});
    await call();
    await assertStatus(call(), Code.ResourceExhausted, "no more than 1 requests a minute");
    await service.change(`${base}rate_limit: {calls: 2}\n`);
    await call();
    await assertStatus(call(), Code.ResourceExhausted, "no more than 2 requests a minute");
    await service.change(`${base}rate_limit: {calls: 2, enabled: false}\n`);
    await call();
    await service.change(`${base}rate_limit: {calls: 2}\n`);
    await assertStatus(call(), Code.ResourceExhausted);
  });

  it("keeps what it has while the file is not valid, says so once, and counts", async (t) => {
    const service = await start(t, `${base}communication: {providers: {grpc: {timeout: 7s}}}\n`);
    await service.change(`${base}communication: {providers: {grpc: {timeout: seven}}}\n`);
    assert.equal(await service.timeLeft(), 7000);
    const refused = service.lines.filter(({ message }) => message.startsWith("invalid configuration after a change"));
    assert.equal(refused.length, 1);
    assert.match(refused[0]?.problem ?? "", /config\.yaml:4:\d+: communication\.providers\.grpc\.timeout is "seven"/);
    await service.change(`${base}communication: {providers: {grpc: {timeout: 8s}}}\n`);
    assert.equal(await service.timeLeft(), 8000);
    const text = exposition(service.metrics);
    assert.match(text, /^tercel_config_reloads_total\{outcome="taken"\} 1$/m);
    assert.match(text, /^tercel_config_reloads_total\{outcome="refused"\} 1$/m);
  });

  it("loses no call while it changes again and again", async (t) => {
    const service = await start(t, base);
    let isOver = false;
    let calls = 0;
    const calling = (async () => {
      for (; !isOver; calls++) await service.client.append({});
    })();
    for (let at = 1; at <= 20; at++) {
      await service.change(
        `${base}communication: {providers: {grpc: {timeout: ${at % 3 === 0 ? "soon" : `${at}s`}}}}\n`,
      );
    }
    isOver = true;
    await calling;
    assert.ok(calls > 20, `${calls} calls`);
    assert.equal(await service.timeLeft(), 20_000);
  });

  it("says which keys need a restart, those of a section that was not there among them", async (t) => {
    const service = await start(t, base);
    await service.change(`${base}service: {port: 1234}\nrate_limit: {calls: 1}\n`);
    const warnings = service.lines.filter(({ level }) => level === "warn").map(({ message }) => message);
    assert.deepEqual(warnings, [
      "changed keys need a restart: service.port",
      "rate_limit needs a restart, because the service started without it",
    ]);
    await service.client.append({});
    await service.client.append({});
  });

  it("hands providers their live keys, and says what they do not take", async (t) => {
    const service = await start(t, base);
    await service.change("database:\n  providers:\n    fussy: {pool: large}\n");
    await service.change("database:\n  providers:\n    fussy: {pool: large, engine: b}\n");
    assert.deepEqual(service.taken, [
      { pool: "large", engine: "a" },
      { pool: "large", engine: "b" },
    ]);
    const warnings = service.lines.filter(({ level }) => level === "warn").map(({ message }) => message);
    assert.deepEqual(warnings, ["changed keys need a restart: database.providers.fussy.engine"]);
  });

  it("becomes ready when what it misses is not required any more, and lets followers know", async (t) => {
    const missing = (required: boolean): string =>
      `${base}discovery: {providers: {static: {}}}\ndependencies: [{name: other, required: ${required}}]\n`;
    const service = await start(t, missing(true));
    const statuses: (string | undefined)[] = [];
    service.running.health.follow("", (status) => void statuses.push(status));
    assert.equal(service.running.health.status(""), "NOT_SERVING");
    await service.change(missing(false));
    await service.change(missing(true));
    assert.deepEqual(statuses, ["NOT_SERVING", "SERVING", "NOT_SERVING"]);
  });
});
