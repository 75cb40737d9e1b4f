// Own process: Playwright brings a copy of zod, which defines globals.
// Long: it starts the shop, and calls it from Chromium by every kind of client.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { withoutChromium } from "@tercel/test-support/chromium";
import type { Page } from "playwright-core";
import type { ClientName, ClientsPage } from "./clients-page.ts";
import { bundleClients, patchedClient, readAddedLines, readPrinted } from "./printed-client/bundle-clients.ts";
import { createShopInBrowser, createUser, type RestUser, type ShopInBrowser } from "./shop-in-browser.ts";

describe("the prescribed browser client", () => {
  it("is unchanged, byte for byte", () => {
    const digest = createHash("sha256").update(readPrinted()).digest("hex");
    assert.equal(digest, "48176cd78fcdd4c6438ce7b2049110d29ecbda1967867fc2c8218f85529f398e");
  });

  it("is used unchanged: the patch only adds what it does not define", () => {
    assert.ok(readAddedLines().length > 0);
    const patched = patchedClient().split("\n");
    let at = 0;
    for (const line of readPrinted().split("\n")) {
      at = patched.indexOf(line, at) + 1;
      assert.notEqual(at, 0, line);
    }
  });
});

/** Serves an empty page with a script, at another origin than the shop's. */
async function servePage(script: string): Promise<{ readonly origin: string; readonly server: Server }> {
  const server = createServer(({ url }, response) => {
    const isScript = url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : "<!doctype html><title>Clients</title><script src=/page.js></script>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

const unary: readonly (readonly [
  ClientName,
  { readonly missing: string; readonly refused: string; readonly anonymous: string },
])[] = [
  ["printed", { missing: "NotFoundError", refused: "ForbiddenError", anonymous: "UnauthorizedError" }],
  ...(["official text", "official binary", "connect-web connect", "connect-web grpc-web"] as const).map(
    (name) => [name, { missing: "5", refused: "7", anonymous: "16" }] as const,
  ),
];
const streaming: readonly ClientName[] = ["printed", "official text", "connect-web connect", "connect-web grpc-web"];

describe("the shop's api.user.v1, called from a page of another origin in Chromium", {
  skip: withoutChromium,
  timeout: 280_000,
}, () => {
  let shop: ShopInBrowser;
  let page: Page;
  let elsewhere: Server;
  let ada: RestUser;
  before(async () => {
    const { origin, server } = await servePage(await bundleClients());
    elsewhere = server;
    const cors = "communication.providers.http.cors";
    shop = await createShopInBrowser([`${cors}.origins=${origin}`, `${cors}.credentials=true`]);
    ada = await createUser(shop, "Ada Lovelace");
    page = await shop.browser.newPage();
    await page.goto(origin);
  });
  after(async () => {
    elsewhere?.close();
    elsewhere?.closeAllConnections();
    await shop?.end();
  });

  /** Calls a function of the page. */
  function call<Name extends keyof ClientsPage>(
    name: Name,
    ...args: Parameters<ClientsPage[Name]>
  ): Promise<Awaited<ReturnType<ClientsPage[Name]>>> {
    return page.evaluate(
      ([method, given]) => {
        const { page: functions } = globalThis as unknown as { page: Record<string, (...args: unknown[]) => unknown> };
        return functions[method]?.(...given);
      },
      [name, args] as [string, unknown[]],
    ) as Promise<Awaited<ReturnType<ClientsPage[Name]>>>;
  }

  /** Creates users until the page has received one, because it is not known when a stream has started. */
  async function untilSeen(): Promise<string[]> {
    const created: string[] = [];
    while ((await call("seen")).created.length === 0) created.push((await createUser(shop, `Seen ${serial++}`)).userId);
    return created;
  }
  let serial = 0;

  for (const [name, failures] of unary) {
    it(`can be called by the client "${name}", with errors of the client's type`, async () => {
      const place = { url: shop.url, token: shop.token };
      assert.deepEqual(await call("get", name, place, ada.userId), { name: "Ada Lovelace", email: ada.email });
      assert.deepEqual(await call("get", name, place, "missing"), { failure: failures.missing });
      const { authorization } = await shop.shop.tokenOf("user", "somebody");
      const other = { url: shop.url, token: authorization.replace("Bearer ", "") };
      assert.deepEqual(await call("get", name, other, ada.userId), { failure: failures.refused });
      assert.deepEqual(await call("get", name, { ...place, token: "x" }, ada.userId), { failure: failures.anonymous });
    });
  }

  for (const name of streaming) {
    it(`sends its events to the client "${name}"`, async () => {
      await call("follow", name, { url: shop.url, token: shop.token });
      const created = await untilSeen();
      for (let nth = 0; nth < 3; nth++) created.push((await createUser(shop, `Seen ${serial++}`)).userId);
      const seen = await call("untilCreated", created.at(-1) ?? "");
      // All users since the first one.
      assert.deepEqual(seen, created.slice(created.indexOf(seen[0] ?? "")));
      await call("end");
    });
  }

  it("is called again by the prescribed client after a kill and a restart", async () => {
    await call("follow", "printed", { url: shop.url, token: shop.token });
    const [before] = (await untilSeen()).slice(-1);
    await shop.kill();
    await shop.start();
    for (;;) {
      const { created, reconnects } = await call("seen");
      if (created.at(-1) !== before && reconnects > 0) break;
      await createUser(shop, `Seen ${serial++}`);
    }
    await call("end");
  });
});
