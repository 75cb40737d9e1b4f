import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { HandlerContext } from "@connectrpc/connect";
import { createGateway, type GatewayOptions } from "@tercel/gateway";
import { callInfo, createServer } from "@tercel/grpc";
import { Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";

const quiet = { log: { debug() {}, info() {}, warn() {}, error() {} } };
const forwarded = {
  "x-forwarded-for": "1.1.1.1, 203.0.113.7",
  "x-forwarded-proto": "https",
  "x-forwarded-host": "shop.example.com",
  "x-real-ip": "1.1.1.1",
  "x-other": "kept",
};

/** Returns what the handler sees of a request with these fields. */
async function see(gateway: GatewayOptions, path?: string) {
  let context: HandlerContext | undefined;
  const server = createServer({
    routes: (router) =>
      router.rpc(Library.method.echo, (_request, given) => {
        context = given;
        return {};
      }),
    gateway: createGateway(gateway),
    ...quiet,
  });
  const address = await server.listen(path === undefined ? { port: 0 } : { path });
  try {
    const where = "port" in address ? { host: "127.0.0.1", port: address.port } : { socketPath: path };
    await new Promise<void>((resolve, reject) => {
      const sent = request({ ...where, path: "/v1/echo", headers: { host: "inner", ...forwarded } }, (response) => {
        response.resume();
        response.on("end", resolve);
      });
      sent.on("error", reject);
      sent.end();
    });
    const header = context?.requestHeader;
    return {
      peer: context?.values.get(callInfo)?.peerAddress,
      url: context?.url,
      fields: Object.keys(forwarded).map((name) => header?.get(name) ?? ""),
    };
  } finally {
    await server.close({ deadlineMs: 0 });
  }
}

describe("forwarding headers", () => {
  it("are trusted from a proxy in trustProxy, except for entries that its client can forge", async () => {
    const { peer, url, fields } = await see({ trustProxy: ["127.0.0.0/8"] });
    assert.equal(peer, "203.0.113.7");
    assert.equal(url, "https://shop.example.com/v1/echo");
    assert.deepEqual(fields, ["203.0.113.7", "https", "shop.example.com", "", "kept"]);
  });

  it("are removed from other peers, and by default", async () => {
    for (const gateway of [{}, { trustProxy: ["10.0.0.0/8", "::1", "unix"] }]) {
      const { peer, url, fields } = await see(gateway);
      assert.match(peer ?? "", /^127\.0\.0\.1:/);
      assert.equal(url, "http://inner/v1/echo");
      assert.deepEqual(fields, ["", "", "", "", "kept"]);
    }
  });

  it('are trusted over Unix sockets if trustProxy has "unix"', async () => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-proxies-"));
    try {
      assert.equal((await see({ trustProxy: ["unix"] }, join(folder, "a"))).peer, "203.0.113.7");
      assert.equal((await see({ trustProxy: ["127.0.0.1"] }, join(folder, "b"))).peer, undefined);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  for (const proxy of ["10.0.0.0/33", "10.0.0", "example.com", "10.0.0.0/", "::/129", "1.2.3.4/8/8", ""]) {
    it(`reject an invalid trustProxy: ${JSON.stringify(proxy)}`, () => {
      assert.throws(() => createGateway({ trustProxy: [proxy] }), /trustProxy has .* it has to be an address/);
    });
  }
});
