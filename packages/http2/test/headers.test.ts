// Header lists, heads and trailers: RFC 9113 §8, with the limits on their size.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode, PreparedHeaders } from "../src/index.ts";
import { createScriptedClient, createScriptedServer } from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

/** `post` counts 3 fields and 131 bytes by RFC 9113 §6.5.2. */
const postListBytes = 131;

/** `post` and short fields up to `count` fields in all. */
function fieldsOf(count: number): string[] {
  return [...post, ...Array.from({ length: count - 3 }, () => ["x", "y"]).flat()];
}

/** `post` and one field, `bytes` in all. */
function fieldsOfBytes(bytes: number): string[] {
  return [...post, "x", "v".repeat(bytes - postListBytes - 33)];
}

test("hands a request on with everything that came", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, [...post, "a", "1", "a", "2", "b", ""], { endStream: true, padding: 7, dependsOn: 0 });
  const { request, log } = events.stream(1);
  assert.deepEqual(
    [request?.method, request?.scheme, request?.path, request?.authority],
    ["POST", "http", "/example", undefined],
  );
  assert.deepEqual(request?.fields, ["a", "1", "a", "2", "b", ""]);
  assert.deepEqual(log, ["end"]);
});

test("takes 128 fields, and answers 431 to 129 of them", async () => {
  const { peer, events, connection } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, fieldsOf(128), { endStream: true });
  assert.equal(events.stream(1).request?.fields.length, 250);
  peer.sendHeaders(3, fieldsOf(129), { endStream: true });
  assert.deepEqual(await peer.nextFrame(), {
    type: "HEADERS",
    streamId: 3,
    endStream: true,
    fields: [":status", "431", "content-length", "0"],
  });
  assert.equal(events.streams.size, 1);
  assert.equal(connection.openStreams, 1);
  await peer.expectAlive();
});

test("counts each cookie crumb as a field", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, [...post, ...Array.from({ length: 126 }, () => ["cookie", "a=b"]).flat()], { endStream: true });
  assert.equal(events.streams.size, 0);
});

test("takes a header list of 16 KiB, and answers 431 to one byte more", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, fieldsOfBytes(16_384), { endStream: true });
  assert.ok(events.streams.has(1));
  peer.sendHeaders(3, fieldsOfBytes(16_385), { endStream: true });
  assert.equal((await peer.nextOf("HEADERS")).fields[1], "431");
  assert.equal(events.streams.size, 1);
});

test("answers 431 and stops the client that would go on to send a body", async () => {
  const { peer, connection } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, fieldsOf(129));
  assert.equal((await peer.nextOf("HEADERS")).fields[1], "431");
  await peer.expectReset(1, ErrorCode.noError);
  peer.sendData(1, patterned(100), { endStream: true });
  await peer.expectAlive();
  assert.equal(connection.openStreams, 0);
});

test("lets the layer above respond to a header list over the limit, by the fields before the first that did not fit", async () => {
  const seen: (readonly string[])[] = [];
  const { peer } = createScriptedServer({
    limits: { headers: { maxFields: 4 } },
    respondToLargeHeaders(fields) {
      seen.push(fields);
      return fields.at(-1) === "known" ? [":status", "200", "x-code", "8"] : undefined;
    },
  });
  await peer.shakeHands();
  peer.sendHeaders(1, [...post, "a", "known", "b", "1"], { endStream: true });
  peer.sendHeaders(3, [...post, "a", "other", "b", "1"], { endStream: true });
  const responses = [await peer.nextOf("HEADERS"), await peer.nextOf("HEADERS")];
  assert.deepEqual(
    responses.map(({ streamId, fields }) => [streamId, fields]),
    [
      [1, [":status", "200", "x-code", "8"]],
      [3, [":status", "431", "content-length", "0"]],
    ],
  );
  assert.deepEqual(seen, [
    [...post, "a", "known"],
    [...post, "a", "other"],
  ]);
  await peer.expectAlive();
});

test("keeps its table in step when it refuses a header list", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, [...post, "x-kept", "in the table", ...fieldsOf(129).slice(6)], { endStream: true });
  peer.sendHeaders(3, [...post, "x-kept", "in the table"], { endStream: true });
  assert.deepEqual(events.stream(3).request?.fields, ["x-kept", "in the table"]);
});

test("bears a header list of four times the limit, and ends the connection at one byte more", async () => {
  for (const [bytes, ends] of [
    [4096, false],
    [4097, true],
  ] as const) {
    // biome-ignore format: a table
    const { peer } = createScriptedServer({ limits: { headers: { maxListBytes: 1024 } } });
    await peer.shakeHands();
    peer.sendHeaders(1, fieldsOfBytes(bytes), { endStream: true });
    if (ends) await peer.expectGoaway(ErrorCode.enhanceYourCalm, "header_list_way_too_large");
    else assert.equal((await peer.nextOf("HEADERS")).fields[1], "431");
  }
});

test("ends the connection for a bomb of indexed fields, without making a stream of it", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  // 4000 bytes in the table, then as many references to them as a frame holds.
  const bomb = Buffer.concat([Buffer.from("4001787fa11e", "hex"), Buffer.alloc(4000, "v"), Buffer.alloc(12_000, 0xbe)]);
  peer.sendHeaders(1, bomb, { endStream: true });
  await peer.expectGoaway(ErrorCode.enhanceYourCalm, "header_list_way_too_large");
  assert.equal(events.streams.size, 0);
});

const malformed: readonly [what: string, fields: readonly string[]][] = [
  ["has no :path", post.slice(0, 4)],
  ["has a name in capitals", [...post, "X", "y"]],
  ["has an empty name", [...post, "", "y"]],
  ["has a hop-by-hop field", [...post, "connection", "close"]],
  ["has a te field other than trailers", [...post, "te", "gzip"]],
  ["has a pseudo-header field of a response", [...post, ":status", "200"]],
  ["has a pseudo-header field behind the others", [...post.slice(0, 4), "a", "b", ...post.slice(4)]],
  ["has a line break in a value", [...post, "a", "b\r\nc: d"]],
  ["has a host that is not the authority", [...post, ":authority", "a", "host", "b"]],
  ["has no fields at all", []],
];

for (const [what, fields] of malformed) {
  test(`resets a request that ${what}, and never shows it`, async () => {
    const { peer, events } = createScriptedServer();
    await peer.shakeHands();
    peer.sendHeaders(1, fields, { endStream: true });
    await peer.expectReset(1, ErrorCode.protocolError);
    assert.equal(events.streams.size, 0);
    await peer.expectAlive();
  });
}

test("resets a request that depends on itself", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post, { dependsOn: 1 });
  await peer.expectReset(1, ErrorCode.protocolError);
  assert.equal(events.streams.size, 0);
});

test("hands trailers of a request on, then its end", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  peer.sendData(1, "body");
  peer.sendHeaders(1, ["x-sum", "1"], { endStream: true });
  assert.deepEqual(events.stream(1).log, ["data 4", "trailers", "end"]);
  assert.deepEqual(events.stream(1).trailers?.fields, ["x-sum", "1"]);
});

const wrongTrailers: readonly [what: string, fields: readonly string[], endStream: boolean, code: number][] = [
  ["do not end the stream", ["a", "b"], false, ErrorCode.protocolError],
  ["have a pseudo-header field", [":path", "/"], true, ErrorCode.protocolError],
  ["have a name in capitals", ["A", "b"], true, ErrorCode.protocolError],
  ["have 129 fields", Array.from({ length: 129 }, () => ["x", "y"]).flat(), true, ErrorCode.enhanceYourCalm],
];

for (const [what, fields, endStream, code] of wrongTrailers) {
  test(`resets a stream whose trailers ${what}, in either role`, async () => {
    const server = createScriptedServer();
    await server.peer.shakeHands();
    server.peer.sendHeaders(1, post);
    server.peer.sendHeaders(1, fields, { endStream });
    await server.peer.expectReset(1, code);
    assert.deepEqual(server.events.stream(1).log, ["reset"]);
    const client = createScriptedClient();
    await client.peer.shakeHands();
    const recorded = client.request(post, { endStream: true });
    client.peer.sendHeaders(1, ok);
    client.peer.sendHeaders(1, fields, { endStream });
    await client.peer.expectReset(1, code);
    assert.deepEqual(recorded.log, ["head 200", "reset"]);
  });
}

test("hands a response on: head, data, trailers, end", async () => {
  const { peer, request } = createScriptedClient();
  await peer.shakeHands();
  const recorded = request(post, { endStream: true });
  peer.sendHeaders(1, [...ok, "a", "b"]);
  peer.sendData(1, "body");
  peer.sendHeaders(1, ["x-status", "0"], { endStream: true });
  assert.deepEqual(recorded.log, ["head 200", "data 4", "trailers", "end"]);
  assert.deepEqual(recorded.response?.fields, ["a", "b"]);
  assert.deepEqual(recorded.trailers?.fields, ["x-status", "0"]);
});

test("takes 16 interim responses before the final one, and no 17th", async () => {
  for (const [count, taken] of [
    [16, true],
    [17, false],
  ] as const) {
    // biome-ignore format: a table
    const { peer, request } = createScriptedClient();
    await peer.shakeHands();
    const recorded = request(post, { endStream: true });
    for (let i = 0; i < count; i++) peer.sendHeaders(1, [":status", i % 2 === 0 ? "100" : "103"]);
    if (taken) {
      peer.sendHeaders(1, ok, { endStream: true });
      assert.deepEqual(recorded.log, ["head 200", "end"]);
    } else {
      await peer.expectReset(1, ErrorCode.enhanceYourCalm);
      assert.deepEqual(recorded.log, ["reset"]);
    }
  }
});

const wrongResponses: readonly [what: string, act: (peer: ReturnType<typeof createScriptedClient>["peer"]) => void][] =
  [
    ["is an interim one that ends the stream", (peer) => peer.sendHeaders(1, [":status", "100"], { endStream: true })],
    ["has the status 101", (peer) => peer.sendHeaders(1, [":status", "101"])],
    ["has no status", (peer) => peer.sendHeaders(1, ["a", "b"])],
    ["has a request's field", (peer) => peer.sendHeaders(1, [...ok, ":path", "/"])],
    ["begins with DATA", (peer) => peer.sendData(1, "x")],
  ];

for (const [what, act] of wrongResponses) {
  test(`resets a request whose response ${what}`, async () => {
    const { peer, request } = createScriptedClient();
    await peer.shakeHands();
    const recorded = request(post, { endStream: true });
    act(peer);
    await peer.expectReset(1, ErrorCode.protocolError);
    assert.deepEqual(recorded.log, ["reset"]);
    await peer.expectAlive();
  });
}

/** Sizes of DATA frames behind a head that says 5, and whether that is right. */
const bodies: readonly [sizes: readonly number[], right: boolean][] = [
  [[5], true],
  [[2, 3], true],
  [[5, 0], true],
  [[4], false],
  [[], false],
  [[6], false],
  [[5, 1], false],
];

for (const [sizes, right] of bodies) {
  test(`${right ? "takes" : "refuses"} bodies of ${sizes.join(" + ") || "nothing"} behind a content-length of 5`, async () => {
    const server = createScriptedServer();
    await server.peer.shakeHands();
    const client = createScriptedClient();
    await client.peer.shakeHands();
    const recorded = client.request(post, { endStream: true });
    server.peer.sendHeaders(1, [...post, "content-length", "5"], { endStream: sizes.length === 0 });
    client.peer.sendHeaders(1, [...ok, "content-length", "5"]);
    sizes.forEach((size, index) => {
      const endStream = index === sizes.length - 1;
      server.peer.sendData(1, Buffer.alloc(size), { endStream });
      client.peer.sendData(1, Buffer.alloc(size), { endStream });
    });
    if (sizes.length === 0) client.peer.sendHeaders(1, ["a", "b"], { endStream: true });
    if (right) {
      assert.equal(server.events.stream(1).log.at(-1), "end");
      assert.equal(recorded.log.at(-1), "end");
    } else {
      await server.peer.expectReset(1, ErrorCode.protocolError);
      await client.peer.expectReset(1, ErrorCode.protocolError);
      assert.ok(!(server.events.streams.get(1)?.log.includes("end") ?? false));
      assert.ok(!recorded.log.includes("end"));
    }
  });
}

test("does not count padding as content", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, [...post, "content-length", "5"]);
  peer.sendData(1, "12345", { padding: 100, endStream: true });
  assert.deepEqual(events.stream(1).log, ["data 5", "end"]);
});

test("refuses trailers in front of the announced end of the data", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, [...post, "content-length", "5"]);
  peer.sendData(1, "1234");
  peer.sendHeaders(1, ["a", "b"], { endStream: true });
  await peer.expectReset(1, ErrorCode.protocolError);
  assert.deepEqual(events.stream(1).log, ["data 4", "reset"]);
});

const head = [":method", "HEAD", ":scheme", "http", ":path", "/"];
const bodiless: readonly [what: string, request: readonly string[] | PreparedHeaders, status: string][] = [
  ["a HEAD request", head, "200"],
  ["a HEAD request whose method comes last", [...head.slice(2), ...head.slice(0, 2)], "200"],
  ["a prepared HEAD request", new PreparedHeaders(head), "200"],
  ["a 304", post, "304"],
  ["a 204", post, "204"],
];

for (const [what, request, status] of bodiless) {
  test(`takes an answer to ${what} that names a length without a body`, async () => {
    for (const endsWith of ["HEADERS", "DATA"]) {
      const client = createScriptedClient();
      await client.peer.shakeHands();
      const recorded = client.request(request, { endStream: true });
      client.peer.sendHeaders(1, [":status", status, "content-length", "5"], { endStream: endsWith === "HEADERS" });
      if (endsWith === "DATA") client.peer.sendData(1, "", { endStream: true });
      assert.deepEqual(recorded.log, [`head ${status}`, "end"], `ended by ${endsWith}`);
      assert.equal(recorded.response?.contentLength, 5);
    }
  });

  test(`refuses an answer to ${what} that has a body`, async () => {
    const client = createScriptedClient();
    await client.peer.shakeHands();
    const recorded = client.request(request, { endStream: true });
    client.peer.sendHeaders(1, [":status", status, "content-length", "5"]);
    client.peer.sendData(1, "12345", { endStream: true });
    await client.peer.expectReset(1, ErrorCode.protocolError);
    assert.deepEqual(recorded.log, [`head ${status}`, "reset"]);
  });
}

test("sends fields, then extra ones, in one block, prepared or not", async () => {
  const { peer, request } = createScriptedClient();
  await peer.shakeHands();
  const prepared = new PreparedHeaders(post);
  for (const fields of [post, prepared, prepared]) {
    request(fields, { endStream: true, extra: ["x-call", "one"] });
    assert.deepEqual((await peer.nextOf("HEADERS")).fields, [...post, "x-call", "one"]);
  }
});

test("sends an interim head before the final one", async () => {
  const { peer, events } = createScriptedServer();
  await peer.shakeHands();
  peer.sendHeaders(1, post);
  const { stream } = events.stream(1);
  stream?.sendHeaders([":status", "103", "link", "x"]);
  stream?.sendHeaders(ok, true);
  assert.deepEqual((await peer.nextOf("HEADERS")).fields[1], "103");
  assert.deepEqual((await peer.nextOf("HEADERS")).endStream, true);
});
