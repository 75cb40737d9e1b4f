import assert from "node:assert/strict";
import { test } from "node:test";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";
import { PreparedHeaders } from "./prepared-headers.ts";

const target = Buffer.alloc(1 << 16);

function encode(encoder: HpackEncoder, ...fields: string[]): Buffer {
  const end = encoder.encode(fields, target, 0);
  assert.ok(end <= encoder.maxEncodedBytes(fields));
  return Buffer.from(target.subarray(0, end));
}

function hex(encoder: HpackEncoder, ...fields: string[]): string {
  return encode(encoder, ...fields).toString("hex");
}

function prepared(encoder: HpackEncoder, headers: PreparedHeaders): string {
  const end = encoder.encodePrepared(headers, target, 0);
  assert.ok(end <= headers.maxEncodedBytes);
  return target.toString("hex", 0, end);
}

test("writes only what it encodes, from the offset on", () => {
  const bytes = new Uint8Array(4).fill(0xa5);
  assert.equal(new HpackEncoder().encode([":method", "GET"], bytes, 1), 2);
  assert.deepEqual([...bytes], [0xa5, 0x82, 0xa5, 0xa5]);
});

test("uses the static table's fields and names", () => {
  const encoder = new HpackEncoder();
  assert.equal(hex(encoder, ":status", "200", ":method", "POST", ":scheme", "https", ":path", "/"), "88838784");
  assert.equal(hex(encoder, "accept-encoding", "gzip, deflate"), "90");
  assert.equal(hex(encoder, "te", "x").slice(0, 2), "40");
  assert.equal(hex(encoder, "user-agent", "x").slice(0, 2), "7a");
});

test("indexes a field once and refers to it from then on", () => {
  const encoder = new HpackEncoder();
  assert.equal(hex(encoder, "te", "trailers").slice(0, 2), "40");
  assert.equal(hex(encoder, "te", "trailers"), "be");
  encode(encoder, "te", "other");
  assert.equal(hex(encoder, "te", "trailers", "te", "other"), "bfbe");
});

test("refers to a name in the dynamic table", () => {
  const encoder = new HpackEncoder();
  encode(encoder, "custom", "1");
  assert.equal(encode(encoder, "custom", "2")[0], 0x40 | 62);
});

test("refers to every value of a name, the oldest until it is evicted", () => {
  const encoder = new HpackEncoder();
  for (const value of ["a", "b", "c"]) encode(encoder, "n", value);
  assert.deepEqual(["a", "b", "c"].map((value) => hex(encoder, "n", value)), ["c0", "bf", "be"]); // biome-ignore format: a table
  // Room for two: 34 bytes each.
  encoder.setPeerMaxTableBytes(68);
  assert.equal(hex(encoder, "n", "b"), "3f25" + "bf");
  assert.equal(hex(encoder, "n", "c"), "be");
  assert.equal(encode(encoder, "n", "a")[0], 0x40 | 62);
  assert.deepEqual(["c", "a"].map((value) => hex(encoder, "n", value)), ["bf", "be"]); // biome-ignore format: a table
});

test("never indexes secrets, and marks them for those who pass them on", () => {
  const names = ["authorization", "proxy-authorization", "cookie", "set-cookie", "trace-bin", "my-token", "x-token-id"];
  for (const name of [...names, "token-id", "x-api-key"]) {
    const encoder = new HpackEncoder();
    const first = encode(encoder, name, "secret");
    assert.equal((first[0] as number) & 0xf0, 0x10, name);
    assert.deepEqual(encode(encoder, name, "secret"), first);
    assert.equal(hex(encoder, name, ""), hex(encoder, name, ""));
  }
});

test("indexes names that only resemble secret ones", () => {
  for (const name of ["tokens", "cookies", "x-bins", "bin"]) {
    const encoder = new HpackEncoder();
    encode(encoder, name, "v");
    assert.equal(hex(encoder, name, "v"), "be", name);
  }
});

test("keeps varying fields out of the table but for the first, which lends its name", () => {
  const encoder = new HpackEncoder();
  assert.equal(encode(encoder, "x-request-id", "100m")[0], 0x40);
  assert.deepEqual([...encode(encoder, "x-request-id", "99m").subarray(0, 2)], [0x0f, 62 - 15]);
  assert.equal(hex(encoder, "x-request-id", "100m"), "be");
  assert.deepEqual([...encode(encoder, "content-length", "12").subarray(0, 2)], [0x0f, 28 - 15]);
  assert.equal(encode(encoder, "x-correlation-id", "m".repeat(1000))[0], 0x00);
});

test("writes values that come once as they are up to 64 bytes, and longer ones in Huffman's code", () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder();
  const send = (value: string): Buffer => {
    const block = encode(encoder, "x-request-id", value);
    assert.deepEqual(decoder.decode(block, 0, block.length).fields, ["x-request-id", value]);
    return block;
  };
  for (let n = 0; n < 20; n++) send(`call ${n}`);
  const [plain, coded] = [send("a".repeat(64)), send("a".repeat(65))];
  assert.equal(plain.toString("latin1").endsWith("a".repeat(64)), true);
  assert.ok(coded.length < plain.length);
});

test("stops indexing a name whose values never repeat, and begins again when one does", () => {
  const encoder = new HpackEncoder();
  for (let count = 0; count < 16; count++)
    assert.equal((encode(encoder, "custom", `v${count}`)[0] as number) & 0xc0, 0x40);
  assert.equal((encode(encoder, "custom", "v16")[0] as number) & 0xf0, 0x00);
  assert.equal(hex(encoder, "custom", "v15"), "be");
  assert.equal((encode(encoder, "custom", "v16")[0] as number) & 0xc0, 0x40);
});

test("does not index a field that takes more than three quarters of the table", () => {
  for (const [valueBytes, form] of [
    [3072 - 33, 0x40],
    [3072 - 32, 0x00],
  ] as const) {
    assert.equal(encode(new HpackEncoder(), "n", "v".repeat(valueBytes))[0], form);
  }
});

test("writes strings as they are where Huffman encoding is no shorter", () => {
  assert.equal(hex(new HpackEncoder(), "te", "\x01\xff"), "4002746502" + "01ff");
  assert.equal(hex(new HpackEncoder(), "x-correlation-id", "").slice(-2), "00");
});

test("opens with no size update while the table has the protocol's size", () => {
  const encoder = new HpackEncoder();
  encoder.setPeerMaxTableBytes(4096);
  encoder.setPeerMaxTableBytes(65_536);
  assert.equal(hex(encoder, ":method", "GET"), "82");
});

test("opens the next block with the size update when the peer takes less", () => {
  const encoder = new HpackEncoder();
  encoder.setPeerMaxTableBytes(100);
  assert.equal(hex(encoder, ":method", "GET"), "3f4582");
  assert.equal(hex(encoder, ":method", "GET"), "82");
});

test("opens with the smallest size, then the final one, after a dip", () => {
  const encoder = new HpackEncoder();
  encode(encoder, "te", "trailers");
  encoder.setPeerMaxTableBytes(0);
  encoder.setPeerMaxTableBytes(4096);
  assert.equal(encode(encoder, "te", "trailers").toString("hex").slice(0, 10), "203fe11f40");
});

test("never goes beyond its own bound", () => {
  const encoder = new HpackEncoder(64);
  encoder.setPeerMaxTableBytes(65_536);
  assert.equal(hex(encoder, ":method", "GET"), "3f2182");
  const large = new HpackEncoder(8192);
  assert.equal(hex(large, ":method", "GET"), "82");
  large.setPeerMaxTableBytes(65_536);
  assert.equal(hex(large, ":method", "GET"), "3fe13f82");
});

test("uses no table at all when the peer has none", () => {
  const encoder = new HpackEncoder();
  encoder.setPeerMaxTableBytes(0);
  assert.equal(encode(encoder, "te", "trailers")[0], 0x20);
  assert.equal(encode(encoder, "te", "trailers")[0], 0x00);
  assert.equal(encode(encoder, "x-request-id", "1S")[0], 0x00);
});

test("copies a prepared list while it means the same, and encodes it again when it does not", () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder();
  const headers = new PreparedHeaders([":status", "200", "content-type", "application/json"]);
  const others = ["te", "user-agent", "accept"].map((name) => [name, "v".repeat(1000)]);
  for (let round = 0; round < 40; round++) {
    const bytes = Buffer.from(prepared(encoder, headers), "hex");
    assert.deepEqual(decoder.decode(bytes, 0, bytes.length).fields, headers.fields);
    if (round % 4 !== 3) continue;
    const between = encode(encoder, ...(others[round % 3] as string[]), "x-round", String(round));
    decoder.decode(between, 0, between.length);
  }
});

test("does not copy a prepared list past an owed size update", () => {
  const encoder = new HpackEncoder();
  const headers = new PreparedHeaders([":status", "200"]);
  assert.equal(prepared(encoder, headers), "88");
  assert.equal(prepared(encoder, headers), "88");
  encoder.setPeerMaxTableBytes(0);
  assert.equal(prepared(encoder, headers), "2088");
  assert.equal(prepared(encoder, headers), "88");
});

test("keeps its own copy of a prepared list's bytes", () => {
  const encoder = new HpackEncoder();
  const headers = new PreparedHeaders([":status", "200"]);
  prepared(encoder, headers);
  target.fill(0);
  assert.equal(prepared(encoder, headers), "88");
});

test("tells many prepared lists apart", () => {
  const encoder = new HpackEncoder();
  const lists = Array.from({ length: 100 }, (_, at) => new PreparedHeaders(["x-correlation-id", `m${at}`]));
  const decoder = new HpackDecoder();
  for (const headers of [...lists, ...lists]) {
    const bytes = Buffer.from(prepared(encoder, headers), "hex");
    assert.deepEqual(decoder.decode(bytes, 0, bytes.length).fields, headers.fields);
  }
});
