import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ChannelOptions, createChannel, createServer, type ServerOptions } from "@tercel/grpc";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { openInMemory } from "./support/open-echo.ts";

const routes = () => {};
const makeServer = (options: object) => createServer({ routes, ...options });
const makeChannel = (options: object) => createChannel("localhost:1", options);

/** The least and the most that each number may be. */
const serverBounds: [keyof ServerOptions, number, number][] = [
  ["maxReceiveMessageBytes", 0, 0xffff_ffff],
  ["maxSendMessageBytes", 0, 0xffff_ffff],
  ["maxDecodedMessageBytes", 0, Number.MAX_SAFE_INTEGER],
  ["compressMinBytes", 0, Number.MAX_SAFE_INTEGER],
  ["maxTimeoutMs", 1, Number.MAX_SAFE_INTEGER],
  ["maxConcurrentStreams", 1, 0x7fff_ffff],
  ["maxConcurrentCalls", 1, Number.MAX_SAFE_INTEGER],
  ["maxMetadataBytes", 0, Number.MAX_SAFE_INTEGER],
  ["maxConnections", 1, Number.MAX_SAFE_INTEGER],
  ["maxConnectionsPerAddress", 1, Number.MAX_SAFE_INTEGER],
  ["maxTlsHandshakes", 1, Number.MAX_SAFE_INTEGER],
  ["maxConnectionIdleMs", 0, Number.MAX_SAFE_INTEGER],
];
const channelBounds: [keyof ChannelOptions, number, number][] = [
  ["defaultTimeoutMs", 1, Number.MAX_SAFE_INTEGER],
  ["compressMinBytes", 0, Number.MAX_SAFE_INTEGER],
  ["maxReceiveMessageBytes", 0, 0xffff_ffff],
  ["maxSendMessageBytes", 0, 0xffff_ffff],
  ["maxDecodedMessageBytes", 0, Number.MAX_SAFE_INTEGER],
  ["connectTimeoutMs", 1, Number.MAX_SAFE_INTEGER],
  ["idleTimeoutMs", 0, Number.MAX_SAFE_INTEGER],
];

describe("options", () => {
  const misspelt: [string, () => unknown, RegExp][] = [
    [
      "a server",
      () => makeServer({ maxRecieveMessageBytes: 1 }),
      /createServer: .*"maxRecieveMessageBytes"; did you mean "maxReceiveMessageBytes"\?/,
    ],
    [
      "a server's keepalive",
      () => makeServer({ keepalive: { timeMS: 1 } }),
      /keepalive: .*"timeMS"; did you mean "timeMs"\?/,
    ],
    ["a channel", () => makeChannel({ defaultTimeout: 1 }), /createChannel: .*did you mean "defaultTimeoutMs"\?/],
    [
      "a server's keepalive enforcement",
      () => makeServer({ keepaliveEnforcement: { minTime: 1 } }),
      /keepaliveEnforcement: .*"minTime"; did you mean "minTimeMs"\?/,
    ],
    ["a channel's keepalive", () => makeChannel({ keepalive: { time: 1, timeMs: 10_000 } }), /did you mean "timeMs"\?/],
  ];
  for (const [name, make, message] of misspelt) {
    it(`of ${name} that no one knows are refused, with the nearest that somebody does`, () => {
      assert.throws(make, (error) => error instanceof TypeError && message.test(error.message));
    });
  }

  it("that are like none are refused with a list of all", () => {
    assert.throws(() => makeServer({ zzz: 1 }), /unknown option "zzz"\. Known options: routes, /);
  });

  for (const [name, least, most] of serverBounds) {
    it(`of a server: ${name} is from ${least} to ${most}`, () => {
      for (const value of [least, most]) makeServer({ [name]: value });
      for (const value of [least - 1, most + 1, 1.5, Number.NaN, "1"]) {
        assert.throws(
          () => makeServer({ [name]: value }),
          (error) => error instanceof RangeError && error.message.includes(name),
        );
      }
    });
  }
  for (const [name, least, most] of channelBounds) {
    it(`of a channel: ${name} is from ${least} to ${most}`, async () => {
      for (const value of [least, most]) await makeChannel({ [name]: value }).close();
      for (const value of [least - 1, most + 1, 1.5, Number.NaN, "1"]) {
        assert.throws(
          () => makeChannel({ [name]: value }),
          (error) => error instanceof RangeError && error.message.includes(name),
        );
      }
    });
  }

  it("of the engine are checked when they are given, not with the first connection", () => {
    assert.throws(() => makeChannel({ limits: { frames: { maxBytes: 1 } } }), /the limit frames\.maxBytes is 1/);
    assert.throws(() => makeServer({ limits: { frames: { maxBytes: 1 } } }), /the limit frames\.maxBytes is 1/);
  });

  it("of a channel: keepalive is not below 10 s, as gRFC A8 asks", async () => {
    await makeChannel({ keepalive: { timeMs: 10_000 } }).close();
    assert.throws(() => makeChannel({ keepalive: { timeMs: 9999 } }), RangeError);
  });

  it("of close are checked", async () => {
    const server = createServer({ routes });
    assert.throws(() => server.close({ deadlineMs: -1 }), RangeError);
    assert.throws(() => server.close({ deadline: 1 } as object), /did you mean "deadlineMs"/);
    await server.close({ deadlineMs: 0 });
  });

  it("that are missing are asked for: routes", () => {
    assert.throws(() => createServer({} as ServerOptions), /routes/);
    assert.throws(() => createServer({ routes: {} } as never), /routes/);
  });

  it("of format choose JSON, and refuse what is neither", async (t) => {
    const { client } = await openInMemory(
      t,
      {
        unary: (request, context) => ({
          text: context.requestHeader.get("content-type") ?? "",
          payload: request.payload,
        }),
      },
      { channel: { format: "json" } },
    );
    const response = await client.unary({ text: "ü", payload: new Uint8Array([1, 2]) });
    assert.equal(response.text, "application/grpc+json");
    assert.deepEqual(response.payload, new Uint8Array([1, 2]));
    assert.throws(() => makeChannel({ format: "xml" }), /"xml"; it has to be "proto" or "json"/);
  });
});

describe("routes", () => {
  it("are refused when a method is routed twice", () => {
    const twice = () =>
      createServer({
        routes: (router) => {
          router.service(EchoService, {});
          router.rpc(EchoService.method.unary, () => ({}));
        },
      });
    assert.throws(twice, /\/tercel\.grpc\.test\.v1\.EchoService\/Unary is routed twice/);
  });

  it("tell the server's services", () => {
    const server = createServer({ routes: (router) => router.service(EchoService, {}) });
    assert.deepEqual(server.services, [EchoService]);
  });
});
