import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { findPage } from "./served-page.ts";

const { signal } = new AbortController();

async function serve(t: TestContext, status: number, type: string, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status, { "content-type": type }).end(body));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a page is found, with a token where it says that it takes one", async (t) => {
  const plain = await serve(t, 200, "text/html; charset=utf-8", "<!doctype html><title>Shop</title>");
  assert.equal(await findPage(plain, "a.b.c", signal), `${plain}/`);
  const signedIn = await serve(t, 200, "text/html", '<head><meta name="tercel-token" content="fragment" /></head>');
  assert.equal(await findPage(signedIn, "a.b.c", signal), `${signedIn}/#token=a.b.c`);
  assert.equal(await findPage(signedIn, undefined, signal), `${signedIn}/`);
});

test("what is not a page is not shown", async (t) => {
  assert.equal(await findPage(await serve(t, 404, "text/html", "nothing"), undefined, signal), undefined);
  assert.equal(await findPage(await serve(t, 200, "application/json", "{}"), undefined, signal), undefined);
  assert.equal(await findPage("http://127.0.0.1:1", undefined, signal), undefined);
  assert.equal(await findPage(await serve(t, 200, "text/html", ""), undefined, AbortSignal.abort()), undefined);
});
