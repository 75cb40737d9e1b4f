import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { createServer, type ServerOptions } from "@tercel/grpc";
import { FakeClock } from "@tercel/http2/testing";
import { startGoPeer, withoutGo } from "@tercel/test-support/peers";
import type { ClientConnection } from "../src/transport/client/client-connection.ts";
import { createHttp2Connect } from "../src/transport/client/http2-client-connection.ts";
import { echoRoutes } from "./support/open-echo.ts";

/** A client that may ping as it likes, connected to a server with these options. */
async function openPinging(test: TestContext, options: Partial<ServerOptions>): Promise<ClientHttp2Session> {
  const server = createServer({ routes: echoRoutes({}), ...options });
  const { port } = await server.listen({ port: 0 });
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  test.after(async () => {
    session.destroy();
    await server.close({ deadlineMs: 0 });
  });
  await once(session, "remoteSettings");
  return session;
}

function ping(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.ping((error) => (error === null ? resolve() : reject(error)));
  });
}

describe("a client that pings all the time", () => {
  it("is sent away with too_many_pings (gRFC A8)", async (test) => {
    const session = await openPinging(test, {});
    const goaway = once(session, "goaway");
    for (let at = 0; at < 3; at++) await ping(session);
    ping(session).catch(() => {});
    const [code, , debug] = (await goaway) as [number, number, Buffer];
    assert.equal(code, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    assert.equal(debug.toString(), "too_many_pings");
  });

  it("may do so where the server says so", async (test) => {
    const session = await openPinging(test, { keepaliveEnforcement: { minTimeMs: 0, permitWithoutCalls: true } });
    for (let at = 0; at < 20; at++) await ping(session);
    assert.equal(session.closed, false);
  });
});

describe("a client that was sent away with too_many_pings", () => {
  it("doubles its interval as grpc-go", { skip: withoutGo }, async (test) => {
    const server = createServer({ routes: echoRoutes({}) });
    test.after(() => server.close({ deadlineMs: 0 }));
    const { port } = await server.listen({ port: 0 });
    const peer = startGoPeer(test, "too-many-pings", ["-target", `127.0.0.1:${port}`]);
    const { keepaliveMsBefore, keepaliveMsAfter, errors } = JSON.parse(await peer.line());
    assert.deepEqual([keepaliveMsBefore, keepaliveMsAfter], [10_000, 20_000]);
    assert.match(errors, /ENHANCE_YOUR_CALM and debug data equal to ASCII "too_many_pings"/);
  });

  it("doubles its interval as grpc-js", async (test) => {
    const server = createServer({ routes: echoRoutes({}) });
    const { port } = await server.listen({ port: 0 });
    const logged = new Promise<string>((resolve) => {
      const error = (line: string): void => {
        if (line.includes("Increasing ping interval")) resolve(line);
      };
      grpc.setLogger({ ...console, debug: () => {}, info: () => {}, error });
    });
    const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      "grpc.keepalive_time_ms": 5,
      "grpc.keepalive_permit_without_calls": 1,
    });
    test.after(async () => {
      client.close();
      grpc.setLogger(console);
      await server.close({ deadlineMs: 0 });
    });
    client.waitForReady(Number.POSITIVE_INFINITY, () => {});
    assert.match(await logged, /because of excess pings\. Increasing ping interval to 10 ms/);
  });

  it("doubles its interval as ours", async (test) => {
    const server = createServer({ routes: echoRoutes({}) });
    const { port } = await server.listen({ port: 0 });
    const clock = new FakeClock();
    const connect = createHttp2Connect({
      tls: undefined,
      authority: "localhost",
      isAuthorityFixed: false,
      limits: {},
      keepalive: { timeMs: 10_000, timeoutMs: 1_000_000, permitWithoutStreams: true },
      unindexedFields: [],
      clock,
    });
    const open: ClientConnection[] = [];
    test.after(async () => {
      for (const connection of open) connection.close();
      await server.close({ deadlineMs: 0 });
    });
    const connectOnce = async (onGoaway: (debug: string) => void): Promise<ClientConnection> => {
      const connection = await connect(
        { host: "127.0.0.1", port },
        { onCapacity: () => {}, onGoaway: ({ debug }) => onGoaway(debug), onClose: () => {} },
        { connectTimeoutMs: 60_000, signal: new AbortController().signal },
      );
      open.push(connection);
      return connection;
    };
    // At most 30 seconds, and without a turn of the event loop: no answer comes meanwhile.
    const secondsToPing = (connection: ClientConnection): number | undefined => {
      const before = connection.status?.().keepalivesSent;
      for (let second = 1; second <= 30; second++) {
        clock.advance(1000);
        if (connection.status?.().keepalivesSent !== before) return second;
      }
      return undefined;
    };
    let goawayDebug: string | undefined;
    const first = await connectOnce((debug) => {
      goawayDebug = debug;
    });
    // SETTINGS count as a sign of life until the first tick.
    assert.equal(secondsToPing(first), 11);
    while (goawayDebug === undefined) {
      await new Promise((resolve) => setImmediate(resolve));
      secondsToPing(first);
    }
    assert.equal(goawayDebug, "too_many_pings");
    assert.equal(secondsToPing(await connectOnce(() => {})), 21);
  });
});
