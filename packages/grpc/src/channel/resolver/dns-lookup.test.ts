import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { startNameServer } from "../testing/name-server.ts";
import { nodeDnsLookup } from "./dns-lookup.ts";

test("asks the given server and is content with one family", async (t) => {
  const server = await startNameServer(t, { ipv4: [10, 1, 2, 3] });
  const found = await nodeDnsLookup("users.example", server.address, new AbortController().signal);
  assert.deepEqual(found, ["10.1.2.3"]);
});

test("says that the given server does not know the name", async (t) => {
  const server = await startNameServer(t, undefined);
  await assert.rejects(
    nodeDnsLookup("users.example", server.address, new AbortController().signal),
    /ENOTFOUND users\.example/,
  );
});

test("gives up when the resolver is closed", async () => {
  const silent = createSocket("udp4");
  silent.bind(0, "127.0.0.1");
  await once(silent, "listening");
  const closing = new AbortController();
  silent.once("message", () => closing.abort());
  await assert.rejects(
    nodeDnsLookup("users.example", `127.0.0.1:${silent.address().port}`, closing.signal),
    /ECANCELLED users\.example/,
  );
  silent.close();
});
