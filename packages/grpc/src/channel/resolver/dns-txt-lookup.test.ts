import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { startNameServer } from "../testing/name-server.ts";
import { nodeDnsTxtLookup } from "./dns-txt-lookup.ts";

test("asks the given server and leaves the strings of a record apart", async (t) => {
  const server = await startNameServer(t, { txt: ["grpc_config=[", "]"] });
  const found = await nodeDnsTxtLookup("_grpc_config.users.example", server.address, new AbortController().signal);
  assert.deepEqual(found, [["grpc_config=[", "]"]]);
});

test("finds nothing at a name that is not known or has other records", async (t) => {
  for (const records of [undefined, { ipv4: [10, 1, 2, 3] }]) {
    const server = await startNameServer(t, records);
    assert.deepEqual(await nodeDnsTxtLookup("_grpc_config.users.example", server.address, AbortSignal.any([])), []);
  }
});

test("gives up when the resolver is closed", async () => {
  const silent = createSocket("udp4");
  silent.bind(0, "127.0.0.1");
  await once(silent, "listening");
  const closing = new AbortController();
  silent.once("message", () => closing.abort());
  await assert.rejects(
    nodeDnsTxtLookup("_grpc_config.users.example", `127.0.0.1:${silent.address().port}`, closing.signal),
    /ECANCELLED/,
  );
  silent.close();
});
