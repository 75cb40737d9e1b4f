import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { nodeDnsLookup } from "./dns-lookup.ts";

const typeA = 1;

/** A name server on this machine that knows one IPv4 address for every name, or no name at all (RFC 1035 §4.1). */
async function startNameServer(ipv4: readonly number[] | undefined) {
  const socket = createSocket("udp4");
  socket.on("message", (query, peer) => {
    // The question is the rest of the query up to the additional records: name, type, class.
    const nameEnd = query.indexOf(0, 12);
    const question = query.subarray(12, nameEnd + 5);
    const isKnown = ipv4 !== undefined && query.readUInt16BE(nameEnd + 1) === typeA;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(ipv4 === undefined ? 0x8183 : 0x8180, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(isKnown ? 1 : 0, 6);
    const answer = isKnown ? Buffer.from([0xc0, 12, 0, typeA, 0, 1, 0, 0, 0, 60, 0, 4, ...ipv4]) : Buffer.alloc(0);
    socket.send(Buffer.concat([header, question, answer]), peer.port, peer.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await once(socket, "close");
    },
  };
}

test("asks the given server and is content with one family", async () => {
  await using server = await startNameServer([10, 1, 2, 3]);
  const found = await nodeDnsLookup("users.example", server.address, new AbortController().signal);
  assert.deepEqual(found, ["10.1.2.3"]);
});

test("says that the given server does not know the name", async () => {
  await using server = await startNameServer(undefined);
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
