import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { createServer, type ServerOptions } from "@tercel/grpc";
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
    assert.match(debug.toString(), /^too_many_pings/);
  });

  it("may do so where the server says so", async (test) => {
    const session = await openPinging(test, { keepaliveEnforcement: { minTimeMs: 0, permitWithoutCalls: true } });
    for (let at = 0; at < 20; at++) await ping(session);
    assert.equal(session.closed, false);
  });
});
