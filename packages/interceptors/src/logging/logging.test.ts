import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { assertStatus } from "@tercel/grpc/testing";
import { collect, createOccasion, streamOf } from "@tercel/test-support/async";
import { hostileValues } from "@tercel/test-support/hostile-values";
import { pino } from "pino";
import { identifying } from "../../test/support/identifying.ts";
import {
  type EchoHandlers,
  interceptedOn,
  openInMemory,
  openOverSocket,
  overBothTransports,
  recordingLog,
} from "../../test/support/open-echo.ts";
import { recordLines, to } from "../../test/support/recording-log.ts";
import { traceContextKey } from "../call/trace-context.ts";
import { createClientRequestId, createServerRequestId } from "../request-id/index.ts";
import {
  createClientLogging,
  createLog,
  createServerLogging,
  type LeveledLog,
  type LoggingOptions,
  type LogLevel,
  toLog,
} from "./index.ts";

const service = "tercel.interceptors.test.v1.EchoService";

const echo: EchoHandlers = {
  unary: ({ text, account }) => ({ text, ...(account && { account }) }),
  async *serverStream({ text, count }) {
    for (let at = 0; at < count; at++) yield { text };
  },
  async clientStream(requests) {
    return { count: (await collect(requests)).length };
  },
  async *bidi(requests) {
    for await (const { text } of requests) yield { text };
  },
};

function failing(code: Code, message = "refused"): EchoHandlers {
  const fail = (): never => {
    throw new ConnectError(message, code);
  };
  return { unary: fail, clientStream: fail };
}

/** Copies the methods of a log to another object. */
function bound(log: LeveledLog): LeveledLog {
  return {
    debug: (message, fields) => log.debug(message, fields),
    info: (message, fields) => log.info(message, fields),
    warn: (message, fields) => log.warn(message, fields),
    error: (message, fields) => log.error(message, fields),
  };
}

const factories = { server: createServerLogging, client: createClientLogging };

describe("logging", () => {
  overBothTransports((open) => {
    for (const side of ["server", "client"] as const) {
      const logging = (options: LoggingOptions = {}) => {
        const recorded = recordLines();
        const log = createLog({ destination: recorded.destination, level: "debug" });
        return { ...recorded, interceptor: factories[side]({ log, ...options }) };
      };

      it(`writes one line for each call of any kind, with method, status, duration and counts (${side})`, async (t) => {
        const { interceptor, lines, reached } = logging();
        const { client } = await open(t, echo, interceptedOn(side, interceptor));
        await client.unary({ text: "a" });
        await collect(client.serverStream({ count: 3 }));
        await client.clientStream(streamOf({}, {}));
        await collect(client.bidi(streamOf({}, {})));
        await reached(4);
        assert.deepEqual(
          lines.map(({ level, message, side: logged, method, kind, status, requests, responses }) =>
            [level, message, logged, String(method).slice(service.length), kind, status, requests, responses].join(" "),
          ),
          [
            `info call ended ${side} /Unary unary OK  `,
            `info call ended ${side} /ServerStream server_streaming OK 1 3`,
            `info call ended ${side} /ClientStream client_streaming OK 2 1`,
            `info call ended ${side} /Bidi bidi_streaming OK 2 2`,
          ],
        );
        for (const { durationMs, time } of lines) {
          assert.ok(typeof durationMs === "number" && durationMs >= 0);
          assert.ok(!Number.isNaN(Date.parse(String(time))));
        }
      });

      it(`logs no messages and metadata by default (${side})`, async (t) => {
        const { interceptor, raw, reached } = logging();
        const { client } = await open(t, echo, interceptedOn(side, interceptor));
        await client.unary({ text: "private" }, { headers: { authorization: "private", "x-any": "private" } });
        await reached(1);
        assert.ok(!raw.join("").includes("private"));
      });

      it(`selects the level by the status (${side})`, async (t) => {
        const levels: string[] = [];
        const codes = [Code.NotFound, Code.Unavailable, Code.DeadlineExceeded, Code.Internal, Code.DataLoss];
        for (const code of codes) {
          const { interceptor, lines, reached } = logging();
          const { client } = await open(t, failing(code), interceptedOn(side, interceptor));
          await assertStatus(client.unary({}), code);
          await reached(1);
          levels.push(`${lines[0]?.level} ${lines[0]?.message} ${lines[0]?.status} ${lines[0]?.error}`);
        }
        assert.deepEqual(levels, [
          "info call failed NOT_FOUND refused",
          "warn call failed UNAVAILABLE refused",
          "warn call failed DEADLINE_EXCEEDED refused",
          "error call failed INTERNAL refused",
          "error call failed DATA_LOSS refused",
        ]);
      });

      it(`masks secrets in logged messages and metadata (${side})`, async (t) => {
        const { interceptor, raw, lines, reached } = logging({
          payloads: true,
          metadata: true,
          isSecret: (name) => name === "x-house",
        });
        const { client } = await open(t, echo, interceptedOn(side, interceptor));
        const account = { name: "Ada", password: "hidden", settings: { token: "hidden", color: "red" } };
        const headers = { authorization: "Bearer hidden", "x-house": "hidden", "x-seen": "yes", "x-raw-bin": "AAEC" };
        await client.unary({ text: "shown", account }, { headers });
        await collect(client.bidi(streamOf({ account }), { headers }));
        await reached(4);
        assert.ok(!raw.join("").includes("hidden"), raw.join(""));
        const [unary] = lines;
        const shown = { name: "Ada", password: "[redacted]", settings: { token: "[redacted]", color: "red" } };
        assert.deepEqual(unary?.request, { text: "shown", account: shown });
        assert.deepEqual(unary?.response, { text: "shown", account: shown });
        const {
          authorization,
          "x-house": house,
          "x-seen": seen,
          "x-raw-bin": bin,
        } = (unary?.metadata ?? {}) as Record<string, string>;
        assert.deepEqual([authorization, house, seen, bin], ["[redacted]", "[redacted]", "yes", "3 bytes"]);
        assert.deepEqual(
          lines.slice(1).map(({ message }) => message),
          ["call's request message", "call's response message", "call ended"],
        );
      });

      it(`escapes untrusted texts, and cuts them (${side})`, async (t) => {
        const { interceptor, raw, lines, reached } = logging({ maxChars: 60, payloads: true });
        const forged = 'x\n{"level":"info","message":"forged"}\u001b[2J\u009b31m\u202e';
        const { client } = await open(
          t,
          failing(Code.Aborted, forged + "y".repeat(100)),
          interceptedOn(side, interceptor),
        );
        await assertStatus(client.unary({ text: forged }), Code.Aborted);
        await reached(1);
        assert.equal(raw.length, 1);
        assert.equal(raw[0]?.trimEnd().includes("\n"), false);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: there must not be any
        assert.doesNotMatch(String(raw[0]).trimEnd(), /[\u0000-\u001f\u007f-\u009f\u202e]/);
        assert.match(String(lines[0]?.error), /^x\\u\{a\}\{"level":"info","message":"forged"\}\\u\{1b\}.*…$/);
      });

      it(`survives a log that throws (${side})`, async (t) => {
        const broken = (): never => {
          throw new Error("disk full");
        };
        const log = { debug: broken, info: broken, warn: broken, error: broken };
        const interceptor = factories[side]({ log, payloads: true });
        const { client } = await open(t, echo, interceptedOn(side, interceptor));
        assert.equal((await client.unary({ text: "fine" })).text, "fine");
        assert.equal((await collect(client.serverStream({ count: 2 }))).length, 2);
      });
    }

    it("logs the status that the client got, if the handler continued after the end of its call", async (t) => {
      const { destination, lines, reached } = recordLines();
      const entered = createOccasion();
      const release = createOccasion();
      const interceptor = createServerLogging({ log: createLog({ destination }) });
      const { client } = await open(
        t,
        {
          async unary(_request, context) {
            context.signal.addEventListener("abort", () => release.happen());
            entered.happen();
            await release.happened;
            return { text: "too late" };
          },
        },
        { server: { interceptors: [interceptor] } },
      );
      const cancel = new AbortController();
      const call = assertStatus(client.unary({}, { signal: cancel.signal }), Code.Canceled);
      await entered.happened;
      cancel.abort();
      await call;
      await reached(1);
      assert.deepEqual([lines[0]?.status, lines[0]?.message], ["CANCELLED", "call failed"]);
    });

    it("logs that a client cancelled a stream", async (t) => {
      const lines = { server: recordLines(), client: recordLines() };
      const { client } = await open(
        t,
        {
          async *serverStream() {
            for (;;) {
              yield {};
              await new Promise((resolve) => setImmediate(resolve));
            }
          },
        },
        {
          server: { interceptors: [createServerLogging({ log: createLog(to(lines.server)) })] },
          channel: { interceptors: [createClientLogging({ log: createLog(to(lines.client)) })] },
        },
      );
      const cancel = new AbortController();
      const reading = async (): Promise<void> => {
        // Connect's clients do not cancel when the loop is left.
        for await (const _response of client.serverStream({}, { signal: cancel.signal })) cancel.abort();
      };
      await assertStatus(reading(), Code.Canceled);
      await Promise.all([lines.server.reached(1), lines.client.reached(1)]);
      assert.equal(lines.client.lines[0]?.status, "CANCELLED");
      assert.equal(lines.server.lines[0]?.status, "CANCELLED");
    });
  });

  it("always logs failed calls, also of ignored methods, and no successful ones at sample rate 0", async (t) => {
    const { destination, lines, reached } = recordLines();
    const log = createLog({ destination });
    let fails = false;
    const handlers: EchoHandlers = {
      unary() {
        if (fails) throw new ConnectError("now", Code.NotFound);
        return {};
      },
      clientStream: async () => ({}),
    };
    const interceptors = [
      createServerLogging({ log, sampleRate: 0 }),
      createServerLogging({ log, ignore: [`${service}/Unary`] }),
      createServerLogging({ log, ignore: [`${service}/*`] }),
    ];
    const { client, other } = await openInMemory(t, handlers, {
      server: { interceptors },
      other: { unary: () => ({}) },
    });
    await client.unary({});
    assert.equal(lines.length, 0);
    await client.clientStream(streamOf());
    await reached(1);
    await other.unary({});
    await reached(3);
    fails = true;
    await assertStatus(client.unary({}), Code.NotFound);
    await reached(6);
    assert.equal(lines.length, 6);
  });

  it("writes the same lines as text as with the methods of a log", async (t) => {
    const [asText, byFields] = [recordLines(), recordLines()];
    const inner = createLog({ ...to(byFields), service: "orders", level: "debug" });
    const { debug, info, warn, error } = bound(inner);
    const logs = [createLog({ ...to(asText), service: "orders", level: "debug" }), { debug, info, warn, error }];
    const hostile = 'x\n{"level":"info"}\u001b[2J\u202e"\\';
    const span = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 };
    const traced: Interceptor = (next) => (request) => {
      request.contextValues.set(traceContextKey, trace.setSpanContext(ROOT_CONTEXT, span));
      return next(request);
    };
    const interceptors = [
      ...logs.map((log) => createServerLogging({ log, maxChars: 40 })),
      createServerRequestId({ makeId: () => hostile, sendBack: false }),
      traced,
      identifying,
    ];
    const { client } = await openOverSocket(
      t,
      {
        ...echo,
        unary({ text }) {
          if (text === "fail") throw new ConnectError(hostile.repeat(3), Code.DataLoss);
          if (text === "bug") throw new TypeError("no one has thought of this");
          return {};
        },
      },
      { server: { interceptors, log: recordingLog().log } },
    );
    await client.unary({}, { headers: { "x-name": `spiffe://${hostile.slice(2, 10)}` } });
    await client.unary({}, { headers: { "x-request-id": "plain-1" } });
    for (const text of ["fail", "bug"]) await assert.rejects(client.unary({ text }));
    await collect(client.serverStream({ count: 3 }));
    await collect(client.bidi(streamOf({}, {})));
    await Promise.all([asText.reached(6), byFields.reached(6)]);
    const comparable = (line: string): string =>
      line.replace(/"time":"[^"]+"/, '"time":""').replace(/"durationMs":[\d.]+/, '"durationMs":0');
    assert.deepEqual(asText.raw.map(comparable), byFields.raw.map(comparable));
    assert.equal(asText.lines[2]?.level, "error");
  });

  it("logs the peer and the request id on both sides", async (t) => {
    const lines = { server: recordLines(), client: recordLines() };
    const { client } = await openOverSocket(t, echo, {
      server: {
        interceptors: [
          createServerRequestId({ header: "x-correlation-id" }),
          createServerLogging({ log: createLog(to(lines.server)) }),
        ],
      },
      channel: {
        interceptors: [
          createClientRequestId({ header: "x-correlation-id", makeId: () => "id-7" }),
          createClientLogging({ log: createLog(to(lines.client)) }),
        ],
      },
    });
    await client.unary({});
    await Promise.all([lines.server.reached(1), lines.client.reached(1)]);
    assert.match(String(lines.server.lines[0]?.peer), /^127\.0\.0\.1:\d+$/);
    assert.match(String(lines.client.lines[0]?.peer), /^127\.0\.0\.1:\d+$/);
    assert.notEqual(lines.server.lines[0]?.peer, lines.client.lines[0]?.peer);
    assert.deepEqual([lines.server.lines[0]?.requestId, lines.client.lines[0]?.requestId], ["id-7", "id-7"]);
  });

  it("logs the caller, on the server only", async (t) => {
    const lines = { server: recordLines(), client: recordLines() };
    const { client } = await openInMemory(t, echo, {
      server: { interceptors: [createServerLogging({ log: createLog(to(lines.server)) }), identifying] },
      channel: { interceptors: [createClientLogging({ log: createLog(to(lines.client)) }), identifying] },
    });
    await client.unary({}, { headers: { "x-name": "orders" } });
    await Promise.all([lines.server.reached(1), lines.client.reached(1)]);
    assert.deepEqual([lines.server.lines[0]?.caller, lines.client.lines[0]?.caller], ["orders", undefined]);
  });

  it("rejects unknown options and numbers that are out of range", () => {
    assert.throws(() => createServerLogging({ payload: true } as never), /"payload"; did you mean "payloads"/);
    for (const sampleRate of [-0.01, 1.01, Number.NaN]) {
      assert.throws(() => createServerLogging({ sampleRate }), RangeError);
    }
    for (const sampleRate of [0, 1]) createServerLogging({ sampleRate, log: createLog(to(recordLines())) });
    assert.throws(() => createClientLogging({ maxChars: -1 }), RangeError);
    assert.throws(() => createLog({ level: "loud" as never }), /level is "loud"/);
  });
});

describe("a log of JSON lines", () => {
  it("drops lines below its level, and has its service in each line", () => {
    const { destination, lines } = recordLines();
    const log = createLog({ destination, level: "warn", service: "orders" });
    log.info("no");
    log.warn("yes", { at: 1 });
    assert.deepEqual(
      lines.map(({ level, message, service: name, at }) => [level, message, name, at]),
      [["warn", "yes", "orders", 1]],
    );
    assert.equal(log.isLevelEnabled("info"), false);
    assert.equal(log.isLevelEnabled("error"), true);
  });

  it("can change its level at any time, also for the lines of calls", async (t) => {
    const { destination, lines, reached } = recordLines();
    const log = createLog({ destination, level: "warn" });
    const interceptors = [createServerLogging({ log })];
    const { client } = await openInMemory(t, echo, { server: { interceptors } });
    await client.unary({});
    log.level = "info";
    assert.equal(log.level, "info");
    await client.unary({});
    await reached(1);
    assert.equal(lines.length, 1);
    assert.throws(() => {
      log.level = "inf" as never;
    }, /log: level is "inf"; expected one of debug, info, warn, error; did you mean "info"\?/);
  });

  it("shows the stacks of errors, and writes a line for any field values", () => {
    const { destination, lines, raw } = recordLines();
    const log = createLog({ destination });
    log.error("d", { error: new TypeError("why", { cause: new Error("because") }) });
    assert.match(String(lines[0]?.error), /^TypeError: why\n[\s\S]*caused by: Error: because/);
    const makers = Object.values(hostileValues);
    for (const make of makers) log.error("failed", { error: make(), list: [make()] });
    assert.equal(raw.length, 1 + makers.length);
    assert.ok(raw.every((line) => line.indexOf("\n") === line.length - 1));
  });

  it("is a log for calls, servers and channels", async (t) => {
    const { destination, lines, reached } = recordLines();
    const log = createLog({ destination });
    const interceptors = [createServerLogging({ log })];
    const { client } = await openInMemory(t, echo, { server: { interceptors, log } });
    await client.unary({});
    await reached(1);
    assert.equal(lines[0]?.status, "OK");
  });

  it("writes the lines of one turn to standard output together, and the rest when the process exits", () => {
    const program = `
      import { createLog } from ${JSON.stringify(import.meta.resolve("./json-log.ts"))};
      const written = [];
      const write = process.stdout.write;
      process.stdout.write = (text) => { written.push(text); return write.call(process.stdout, text); };
      const log = createLog({ service: "orders" });
      log.info("one");
      log.info("two");
      setImmediate(() => {
        log.info("writes", { writes: written.length });
        throw new Error("the process fails");
      });
    `;
    const { stdout, status } = spawnSync(
      process.execPath,
      ["--conditions=source", "--input-type=module", "-e", program],
      {
        encoding: "utf8",
      },
    );
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      lines.map(({ service: name, message, writes }) => [name, message, writes]),
      [
        ["orders", "one", undefined],
        ["orders", "two", undefined],
        ["orders", "writes", 1],
      ],
    );
    assert.equal(status, 1);
  });
});

describe("a pino logger", () => {
  it("is adapted with its levels, and with the stacks of errors", () => {
    const { destination, lines } = recordLines();
    const log = toLog(pino({ level: "info", messageKey: "message" }, destination));
    log.debug("a");
    log.info("b", { at: 1 });
    log.error("c", { error: new TypeError("why", { cause: new Error("because") }) });
    assert.deepEqual(
      lines.map(({ level, message, at }) => [level, message, at]),
      [
        [30, "b", 1],
        [50, "c", undefined],
      ],
    );
    assert.match(String(lines[1]?.error), /^TypeError: why\n[\s\S]*caused by: Error: because/);
    assert.equal(log.isLevelEnabled?.("debug"), false);
    assert.equal(log.isLevelEnabled?.("warn"), true);
  });

  it("gets the lines of calls, and none that it would drop", async (t) => {
    const { destination, lines, reached } = recordLines();
    const log = toLog(pino({ level: "warn" }, destination));
    let asked = 0;
    const isLevelEnabled = (level: LogLevel): boolean => {
      asked++;
      return log.isLevelEnabled?.(level) ?? true;
    };
    const logging = createServerLogging({ log: { ...log, isLevelEnabled } });
    const { client } = await openInMemory(t, failing(Code.Unavailable), { server: { interceptors: [logging] } });
    await assertStatus(client.unary({}), Code.Unavailable);
    await reached(1);
    assert.equal(lines[0]?.status, "UNAVAILABLE");
    assert.equal(asked, 1);
  });
});
