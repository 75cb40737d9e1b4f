import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createServer, type ServerOptions } from "@tercel/grpc";
import { errorOfStatus, type RawMethod, type RawMethods, statusOfError } from "@tercel/grpc/raw";
import { createFakeClock, createInMemoryTransport, type InMemoryOptions } from "@tercel/grpc/testing";
import { collect, createOccasion } from "@tercel/test-support/async";
import { EchoRequestSchema, EchoResponseSchema, EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes, recordingLog } from "./support/open-echo.ts";

const path = "/raw.v1.Bytes/Call";
const text = (value: string): Uint8Array => Buffer.from(value);
const shown = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

interface Opened {
  readonly rawMethods?: RawMethods;
  readonly routes?: ServerOptions["routes"];
  readonly serverOptions?: InMemoryOptions["serverOptions"];
  readonly channelOptions?: InMemoryOptions["channelOptions"];
}

function open(test: TestContext, { rawMethods, routes = () => {}, serverOptions, channelOptions }: Opened) {
  const { log, logged } = recordingLog();
  const transport = createInMemoryTransport({
    routes,
    serverOptions: { log, ...serverOptions, ...(rawMethods === undefined ? {} : { rawMethods }) },
    ...(channelOptions === undefined ? {} : { channelOptions }),
  });
  test.after(() => transport.close());
  return { transport, raw: transport.raw, logged };
}

function serve(method: RawMethod): RawMethods {
  return { find: (asked) => (asked === path ? method : undefined) };
}

async function* streamOf(...messages: string[]): AsyncIterable<Uint8Array> {
  for (const message of messages) yield text(message);
}

describe("a method that is served as bytes", () => {
  it("answers one request with one response", async (test) => {
    const { raw } = open(test, {
      rawMethods: serve({ kind: "unary", handle: (request, call) => text(`${shown(request)} at ${call.path}`) }),
    });
    const { message, status } = await raw.unary(path, text("a"));
    assert.equal(shown(message), `a at ${path}`);
    assert.deepEqual(status, { code: 0, message: "", fields: [] });
  });

  it("answers one request with a stream", async (test) => {
    const { raw } = open(test, {
      rawMethods: serve({
        kind: "server_streaming",
        async *handle(request) {
          for (const letter of shown(request)) yield text(letter);
        },
      }),
    });
    const response = await raw.stream(path, [text("abc")]);
    assert.deepEqual((await collect(response.messages)).map(shown), ["a", "b", "c"]);
    assert.equal((await response.status).code, 0);
  });

  it("answers a stream with one response", async (test) => {
    const { raw } = open(test, {
      rawMethods: serve({
        kind: "client_streaming",
        handle: async (requests) => text((await collect(requests)).map(shown).join("+")),
      }),
    });
    const response = await raw.stream(path, streamOf("a", "b", "c"));
    assert.deepEqual((await collect(response.messages)).map(shown), ["a+b+c"]);
  });

  it("answers messages as they come", async (test) => {
    const { raw } = open(test, {
      rawMethods: serve({
        kind: "bidi_streaming",
        async *handle(requests) {
          for await (const request of requests) yield text(shown(request).toUpperCase());
        },
      }),
    });
    const more = createOccasion();
    async function* requests() {
      yield text("a");
      await more.happened;
      yield text("b");
    }
    const { messages } = await raw.stream(path, requests());
    const reader = messages[Symbol.asyncIterator]();
    assert.equal(shown((await reader.next()).value as Uint8Array), "A");
    more.happen();
    assert.equal(shown((await reader.next()).value as Uint8Array), "B");
    assert.equal((await reader.next()).done, true);
  });

  it("is called by typed clients, and calls typed servers", async (test) => {
    const typed = open(test, { routes: echoRoutes({ unary: (request) => ({ text: `typed ${request.text}` }) }) });
    const request = toBinary(EchoRequestSchema, create(EchoRequestSchema, { text: "a" }));
    const { message } = await typed.raw.unary("/tercel.grpc.test.v1.EchoService/Unary", request);
    assert.equal(fromBinary(EchoResponseSchema, message).text, "typed a");

    const { transport } = open(test, {
      rawMethods: {
        find: () => ({
          kind: "unary",
          handle(bytes) {
            const text = `raw ${fromBinary(EchoRequestSchema, bytes).text}`;
            return toBinary(EchoResponseSchema, create(EchoResponseSchema, { text }));
          },
        }),
      },
    });
    assert.equal((await createClient(EchoService, transport).unary({ text: "a" })).text, "raw a");
  });

  it("passes messages on whole, compressed or not, that fill several frames", async (test) => {
    const { raw } = open(test, {
      rawMethods: serve({ kind: "unary", handle: (request) => request }),
      serverOptions: { compressMinBytes: 1000 },
    });
    const large = new Uint8Array(300_000).map((_, at) => at * 7);
    assert.deepEqual((await raw.unary(path, large)).message, large);
    assert.equal(large.length, 300_000, "the request still belongs to the caller");
  });

  it("never frees what belongs to the application", async (test) => {
    const kept = new Uint8Array(200_000).fill(7);
    const { raw } = open(test, {
      rawMethods: serve({ kind: "unary", handle: () => kept }),
      serverOptions: { compressions: [] },
    });
    for (let call = 0; call < 2; call++) assert.equal((await raw.unary(path, kept)).message.length, kept.length);
    assert.equal(kept.at(-1), 7);
  });

  it("hands out requests that are the handler's to keep", async (test) => {
    const requests: Uint8Array[] = [];
    const { raw } = open(test, {
      rawMethods: serve({
        kind: "unary",
        handle(request) {
          requests.push(request);
          return request;
        },
      }),
    });
    for (const message of ["first", "second", "third"]) await raw.unary(path, text(message));
    assert.deepEqual(requests.map(shown), ["first", "second", "third"]);
  });

  it("sends metadata before the first message and a trailer behind the status", async (test) => {
    const head = createOccasion();
    const { raw } = open(test, {
      rawMethods: serve({
        kind: "bidi_streaming",
        async *handle(_requests, call) {
          call.sendMetadata(["x-head", "1", "x-bytes-bin", "AAE="]);
          await head.happened;
          assert.throws(() => call.sendMetadata(["x-late", "1"]), /has been sent/);
          call.setTrailer(["x-end", "2"]);
          yield text(call.metadata.join(" "));
        },
      }),
    });
    const response = await raw.stream(path, [], { metadata: ["x-in", "a", "x-in", "b"] });
    assert.deepEqual(response.metadata, ["x-head", "1", "x-bytes-bin", "AAE="]);
    head.happen();
    assert.deepEqual((await collect(response.messages)).map(shown), ["x-in a x-in b"]);
    assert.deepEqual(await response.status, { code: 0, message: "", fields: ["x-end", "2"] });
  });

  it("refuses metadata that gRPC cannot carry", async (test) => {
    const { raw } = open(test, {
      rawMethods: serve({
        kind: "unary",
        handle(request, call) {
          call.sendMetadata(["x-bytes-bin", "no base64!"]);
          return request;
        },
      }),
    });
    await assert.rejects(raw.unary(path, text("")), { code: Code.Internal, rawMessage: /x-bytes-bin is not base64/ });
    await assert.rejects(raw.unary(path, text(""), { metadata: ["x-a-bin", "?"] }), { code: Code.Internal });
  });
});

describe("the status of a call of bytes", () => {
  it("passes as number, text and fields, whatever the number", async (test) => {
    const status = { code: 123, message: "größer", fields: ["x-end", "2", "grpc-status-details-bin", "CAE"] };
    for (const kind of ["unary", "bidi_streaming"] as const) {
      const fail = (): never => {
        throw errorOfStatus(status);
      };
      const { raw } = open(test, { rawMethods: serve({ kind, handle: fail }) });
      const error = await raw.unary(path, text("")).catch((reason) => ConnectError.from(reason));
      assert.ok(error instanceof ConnectError);
      assert.deepEqual([error.code, error.rawMessage], [Code.Unknown, "größer"]);
      assert.deepEqual(statusOfError(error), status);
    }
  });

  it("is what ends the messages of a stream as well", async (test) => {
    const { raw } = open(test, {
      rawMethods: serve({
        kind: "server_streaming",
        async *handle() {
          yield text("a");
          throw errorOfStatus({ code: 5, message: "no more", fields: [] });
        },
      }),
    });
    const response = await raw.stream(path, [text("")]);
    await assert.rejects(collect(response.messages), { code: Code.NotFound });
    assert.deepEqual(await response.status, { code: 5, message: "no more", fields: [] });
  });

  it("is that of a ConnectError, metadata and details included", async (test) => {
    const { raw } = open(test, {
      rawMethods: serve({
        kind: "unary",
        handle() {
          throw new ConnectError("taken", Code.AlreadyExists, { "x-a": "1" }, [
            { desc: EchoRequestSchema, value: { text: "detail" } },
          ]);
        },
      }),
    });
    const error = await raw.unary(path, text("")).catch((reason) => reason);
    const { code, message, fields } = statusOfError(error);
    assert.deepEqual([code, message, fields.slice(0, 2)], [6, "taken", ["x-a", "1"]]);
    assert.equal(error.findDetails(EchoRequestSchema)[0]?.text, "detail");
  });

  it("is Internal for what a handler throws by accident, and for what is not bytes", async (test) => {
    for (const handle of [
      () => {
        throw new Error("secret");
      },
      () => "text" as unknown as Uint8Array,
      () => undefined as unknown as Uint8Array,
    ]) {
      const { raw, logged } = open(test, { rawMethods: serve({ kind: "unary", handle }) });
      await assert.rejects(raw.unary(path, text("")), { code: Code.Internal, rawMessage: "internal error" });
      assert.ok(logged.some(({ message }) => message === "a handler failed"));
    }
  });

  it("is DeadlineExceeded at the deadline, which the handler sees", async (test) => {
    const clock = createFakeClock();
    const seen = createOccasion<number | undefined>();
    const { raw } = open(test, {
      serverOptions: { clock },
      channelOptions: { clock },
      rawMethods: serve({
        kind: "unary",
        handle(_request, call) {
          seen.happen(call.remainingMs());
          return new Promise(() => call.signal);
        },
      }),
    });
    const rejected = assert.rejects(raw.unary(path, text(""), { timeoutMs: 50 }), { code: Code.DeadlineExceeded });
    const remainingMs = await seen.happened;
    assert.ok(remainingMs !== undefined && remainingMs > 0 && remainingMs <= 50, String(remainingMs));
    await clock.advance(60);
    await rejected;
  });

  it("is Canceled when the caller leaves, and aborts the handler's signal", async (test) => {
    const aborted = createOccasion();
    const begun = createOccasion();
    const { raw } = open(test, {
      rawMethods: serve({
        kind: "bidi_streaming",
        async *handle(_requests, call) {
          call.signal.addEventListener("abort", () => aborted.happen());
          call.sendMetadata([]);
          begun.happen();
          await aborted.happened;
        },
      }),
    });
    const caller = new AbortController();
    const response = await raw.stream(path, [], { signal: caller.signal });
    await begun.happened;
    caller.abort();
    await assert.rejects(collect(response.messages), { code: Code.Canceled });
    await aborted.happened;
    assert.equal((await response.status).code, Code.Canceled);
  });
});

describe("a server with methods of bytes", () => {
  it("serves its routes first", async (test) => {
    let asked = 0;
    const { transport } = open(test, {
      routes: echoRoutes({ unary: () => ({ text: "routed" }) }),
      rawMethods: {
        find() {
          asked++;
          return undefined;
        },
      },
    });
    assert.equal((await createClient(EchoService, transport).unary({})).text, "routed");
    assert.equal(asked, 0);
  });

  it("answers Unimplemented where there is no such method, and does not ask for paths that are none", async (test) => {
    const asked: string[] = [];
    const { raw } = open(test, {
      rawMethods: {
        find(path) {
          asked.push(path);
          return undefined;
        },
      },
    });
    await assert.rejects(raw.unary("/a.B/C", text("")), { code: Code.Unimplemented });
    await assert.rejects(raw.unary("a.B/C", text("")), { code: Code.Unimplemented });
    assert.deepEqual(asked, ["/a.B/C"]);
  });

  it("looks a path up again when the version has changed, and only then", async (test) => {
    let found = 0;
    const methods = {
      version: 1,
      find(): RawMethod {
        found++;
        const answer = text(`version ${methods.version}`);
        return { kind: "unary", handle: () => answer };
      },
    };
    const { raw } = open(test, { rawMethods: methods });
    const answers: string[] = [];
    for (let call = 0; call < 4; call++) answers.push(shown((await raw.unary(path, text(""))).message));
    const before = found;
    methods.version++;
    for (let call = 0; call < 2; call++) answers.push(shown((await raw.unary(path, text(""))).message));
    assert.deepEqual(answers, [...Array(4).fill("version 1"), ...Array(2).fill("version 2")]);
    assert.ok(before < 4, `${before} look-ups for four requests with the same head`);
    assert.ok(found > before);
  });

  it("answers Internal where the look-up throws or finds what is no method, and asks again", async (test) => {
    const problems = [
      () => {
        throw new Error("secret");
      },
      () => ({ kind: "duplex", handle: () => {} }) as unknown as RawMethod,
      () => ({ kind: "unary" }) as unknown as RawMethod,
      () => ({ kind: "unary", handle: () => {}, maxBytes: 1 }) as unknown as RawMethod,
    ];
    for (const problem of problems) {
      let isWell = false;
      const { raw, logged } = open(test, {
        rawMethods: { find: () => (isWell ? { kind: "unary", handle: (request) => request } : problem()) },
      });
      await assert.rejects(raw.unary(path, text("")), { code: Code.Internal, rawMessage: "internal error" });
      assert.ok(logged.some(({ message }) => message === "looking up a method failed"));
      isWell = true;
      assert.equal(shown((await raw.unary(path, text("a"))).message), "a");
    }
  });

  it("holds messages to the method's limits, or its own", async (test) => {
    const { raw } = open(test, {
      rawMethods: {
        find: (asked) => ({
          kind: "unary",
          handle: (request) => request,
          ...(asked === path ? { maxReceiveMessageBytes: 10, maxSendMessageBytes: 5 } : {}),
        }),
      },
      serverOptions: { maxReceiveMessageBytes: 20 },
    });
    assert.equal((await raw.unary(path, new Uint8Array(5))).message.length, 5);
    await assert.rejects(raw.unary(path, new Uint8Array(6)), { code: Code.ResourceExhausted });
    await assert.rejects(raw.unary(path, new Uint8Array(11)), { code: Code.ResourceExhausted });
    assert.equal((await raw.unary("/a.B/C", new Uint8Array(20))).message.length, 20);
    await assert.rejects(raw.unary("/a.B/C", new Uint8Array(21)), { code: Code.ResourceExhausted });
  });

  it("takes exactly one request for methods that take one", async (test) => {
    const { raw } = open(test, { rawMethods: serve({ kind: "unary", handle: (request) => request }) });
    for (const requests of [[], [text("a"), text("b")]]) {
      const response = raw.stream(path, requests).then(({ messages }) => collect(messages));
      await assert.rejects(response, { code: Code.Unimplemented });
    }
  });

  it("runs no interceptor for them, on neither side", async (test) => {
    let runs = 0;
    const count: Interceptor = (next) => (request) => {
      runs++;
      return next(request);
    };
    const { raw } = open(test, {
      rawMethods: serve({ kind: "unary", handle: (request) => request }),
      serverOptions: { interceptors: [count] },
      channelOptions: { interceptors: [count] },
    });
    await raw.unary(path, text(""));
    assert.equal(runs, 0);
  });

  it("refuses an option that is no look-up", () => {
    const rawMethods = {} as RawMethods;
    assert.throws(
      () => createServer({ routes: () => {}, rawMethods }),
      /rawMethods has to be an object with a function/,
    );
  });
});

describe("a channel's calls of bytes", () => {
  it("name the option that is not one", async (test) => {
    const { raw } = open(test, {});
    const options = { timeoutMS: 5 } as object;
    await assert.rejects(raw.unary(path, text(""), options), /timeoutMS.*timeoutMs/);
  });

  it("refuse what is not bytes", async (test) => {
    const { raw } = open(test, {});
    await assert.rejects(raw.unary(path, "text" as unknown as Uint8Array), /has to be a Uint8Array/);
  });

  it("are retried by the service config", async (test) => {
    let attempts = 0;
    const { raw } = open(test, {
      rawMethods: serve({
        kind: "unary",
        handle(request) {
          if (++attempts < 3) throw errorOfStatus({ code: Code.Unavailable, message: "not yet", fields: [] });
          return request;
        },
      }),
      channelOptions: {
        random: () => 0,
        serviceConfig: {
          methodConfig: [
            {
              name: [{ service: "raw.v1.Bytes" }],
              retryPolicy: {
                maxAttempts: 3,
                initialBackoff: "0.001s",
                maxBackoff: "0.001s",
                backoffMultiplier: 1,
                retryableStatusCodes: ["UNAVAILABLE"],
              },
            },
          ],
        },
      },
    });
    assert.equal(shown((await raw.unary(path, text("a"))).message), "a");
    assert.equal(attempts, 3);
  });

  it("end when their messages are left", async (test) => {
    const ended = createOccasion();
    const { raw } = open(test, {
      rawMethods: serve({
        kind: "bidi_streaming",
        async *handle(_requests, call) {
          call.signal.addEventListener("abort", () => ended.happen());
          for (;;) yield text("a");
        },
      }),
    });
    const { messages, status } = await raw.stream(path, []);
    for await (const message of messages) {
      assert.equal(shown(message), "a");
      break;
    }
    assert.equal((await status).code, Code.Canceled);
    await ended.happened;
  });
});
