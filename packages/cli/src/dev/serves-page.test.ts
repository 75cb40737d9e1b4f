import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { it } from "node:test";
import { servesPage } from "./serves-page.ts";

it("is true for a page, and false for anything else that may be there", async (t) => {
  let type = "text/html; charset=utf-8";
  let status = 200;
  const server = createServer((_request, response) => response.writeHead(status, { "content-type": type }).end("{}"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.closeAllConnections());
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { signal } = new AbortController();
  assert.equal(await servesPage(address, signal), true);
  type = "application/json";
  assert.equal(await servesPage(address, signal), false);
  [type, status] = ["text/html", 404];
  assert.equal(await servesPage(address, signal), false);
  server.closeAllConnections();
  server.close();
  assert.equal(await servesPage(address, signal), false);
});
