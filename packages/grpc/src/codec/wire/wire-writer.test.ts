import assert from "node:assert/strict";
import { test } from "node:test";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Payload } from "../../protocol/payload.ts";
import { oddValue, WireWriter } from "./wire-writer.ts";

type Shared = Pick<
  BinaryWriter,
  | "bool"
  | "bytes"
  | "double"
  | "fixed32"
  | "fixed64"
  | "float"
  | "int32"
  | "int64"
  | "sfixed32"
  | "sfixed64"
  | "sint32"
  | "sint64"
  | "string"
  | "uint32"
  | "uint64"
>;

/** The bytes that one call gives, from this writer or `undefined` where it refuses, and from protobuf-es's. */
function both<M extends keyof Shared>(
  method: M,
  value: Parameters<Shared[M]>[0],
): [Uint8Array | undefined, Uint8Array] {
  const writer = new WireWriter();
  const reference = new BinaryWriter();
  (reference[method] as (value: unknown) => unknown)(value);
  try {
    (writer[method] as (value: unknown) => unknown)(value);
  } catch {
    return [undefined, reference.finish()];
  }
  return [writer.finish(), reference.finish()];
}

function assertSame<M extends keyof Shared>(method: M, values: Parameters<Shared[M]>[0][]): void {
  for (const value of values) {
    const [bytes, expected] = both(method, value);
    assert.deepEqual(bytes, expected, `${method} ${String(value).slice(0, 40)}`);
  }
}

const int32s = [0, 1, -1, 127, 128, 16_383, 16_384, 0x7fff_ffff, -0x8000_0000, 300, -300];
const uint32s = [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 0x0fff_ffff, 0x1000_0000, 0xffff_ffff];
const int64s = [
  0n,
  1n,
  -1n,
  127n,
  128n,
  2n ** 28n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 35n,
  -(2n ** 35n),
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const uint64s = [
  0n,
  1n,
  127n,
  128n,
  2n ** 28n - 1n,
  2n ** 28n,
  2n ** 31n,
  2n ** 32n,
  2n ** 49n,
  2n ** 56n,
  2n ** 63n,
  2n ** 64n - 1n,
];
const numbers = [
  0,
  -0,
  1.5,
  -1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e-45,
  3.4028234663852886e38,
];

test("writes numbers as protobuf-es does, at the edges of each varint length", () => {
  assertSame("int32", int32s);
  assertSame("sint32", int32s);
  assertSame("sfixed32", int32s);
  assertSame("uint32", uint32s);
  assertSame("fixed32", uint32s);
  assertSame("int64", [...int64s, 5, "-5"]);
  assertSame("sint64", int64s);
  assertSame("sfixed64", int64s);
  assertSame("uint64", [...uint64s, 5, "5"]);
  assertSame("fixed64", uint64s);
  assertSame("float", numbers);
  assertSame("double", [...numbers, 1e300, Number.MIN_VALUE]);
  assertSame("bool", [true, false]);
});

test("writes strings as protobuf-es does, at the edges of each way of writing them", () => {
  for (const unit of ["a", "é", "☺", "😀", "\ud83d", "\0"]) {
    const lengths = [
      0, 1, 20, 39, 40, 41, 42, 43, 63, 64, 127, 128, 129, 1023, 1024, 1025, 5461, 5462, 16_383, 16_384, 16_385, 70_000,
    ];
    assertSame(
      "string",
      lengths.map((length) => unit.repeat(length)),
    );
    assertSame(
      "string",
      lengths.map((length) => `${"a".repeat(length)}${unit}`),
    );
  }
});

test("writes bytes as protobuf-es does", () => {
  assertSame(
    "bytes",
    [0, 1, 127, 128, 16_383, 16_384, 100_000].map((length) => new Uint8Array(length).fill(7)),
  );
});

test("refuses values that are not what the method promises", () => {
  const refused: [keyof Shared, unknown][] = [
    ["int32", 1.5],
    ["int32", 2 ** 31],
    ["int32", "1"],
    ["int32", Number.NaN],
    ["uint32", -1],
    ["uint32", 2 ** 32],
    ["sint32", 0.5],
    ["fixed32", -1],
    ["sfixed32", 2 ** 31],
    ["bool", 1],
    ["float", 1e39],
    ["float", "1"],
    ["double", "1"],
    ["string", 5],
    ["string", undefined],
    ["bytes", "x"],
    ["bytes", [1]],
  ];
  for (const [method, value] of refused) {
    const writer = new WireWriter();
    assert.throws(
      () => (writer[method] as (value: unknown) => void)(value),
      (thrown) => thrown === oddValue,
      `${method} ${value}`,
    );
  }
});

test("gives length-delimited values the right length, however long", () => {
  for (const length of [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
    const writer = new WireWriter();
    const outer = writer.fork();
    const inner = writer.fork();
    writer.raw(new Uint8Array(length).fill(9));
    writer.join(inner);
    writer.join(outer);
    const reference = new BinaryWriter().fork().fork().raw(new Uint8Array(length).fill(9)).join().join();
    assert.ok(Buffer.from(reference.finish()).equals(writer.finish()), String(length));
  }
});

test("gives the right length where the buffer ends between a value and its length", () => {
  for (let content = 16_384 - 300; content <= 16_384; content++) {
    const writer = new WireWriter();
    writer.raw(new Uint8Array(100));
    writer.finish();
    const fork = writer.fork();
    writer.raw(new Uint8Array(content - 100).fill(3));
    writer.join(fork);
    const reference = new BinaryWriter()
      .fork()
      .raw(new Uint8Array(content - 100).fill(3))
      .join();
    assert.ok(Buffer.from(reference.finish()).equals(writer.finish()), String(content));
  }
});

test("keeps a short value's content where the buffer ends right behind it", () => {
  for (let before = 16_384 - 12; before < 16_384; before++) {
    for (const content of [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4, 5]]) {
      const writer = new WireWriter();
      writer.raw(new Uint8Array(before));
      writer.finish();
      const outer = writer.fork();
      const inner = writer.fork();
      writer.raw(Uint8Array.from(content));
      writer.join(inner);
      writer.join(outer);
      const expected = [content.length + 1, content.length, ...content];
      assert.deepEqual([...writer.finish()], expected, `${content.length} bytes behind ${before}`);
    }
  }
});

test("keeps finished messages as they are while it goes on", () => {
  const writer = new WireWriter();
  const texts = Array.from({ length: 3000 }, (_, n) => String(n).repeat(1 + (n % 200)));
  const finished = texts.map((text) => {
    writer.string(text);
    return writer.finish();
  });
  finished.forEach((bytes, n) => {
    assert.deepEqual(bytes, new BinaryWriter().string(texts[n] ?? "").finish());
  });
});

test("forgets an abandoned message, small or large", () => {
  const writer = new WireWriter();
  writer.string("before");
  const before = writer.finish();
  for (const length of [10, 100_000]) {
    writer.string("x".repeat(length));
    writer.abandon();
  }
  writer.string("after");
  assert.deepEqual(writer.finish(), new BinaryWriter().string("after").finish());
  assert.deepEqual(before, new BinaryWriter().string("before").finish());
});

test("lets no small message share the buffer of a large one", () => {
  const writer = new WireWriter();
  for (let part = 0; part < 10; part++) writer.raw(new Uint8Array(9000));
  const large = writer.finish();
  assert.equal(large.length, 90_000);
  assert.ok(large.buffer.byteLength > 90_100, "there was room for a small one");
  writer.string("small");
  assert.equal(writer.finish().buffer.byteLength, 16 * 1024);
});

function written(writer: WireWriter, value: string): Uint8Array {
  writer.string(value);
  return writer.finish();
}

test("goes on in the shared buffer after a message that was too large for it", () => {
  const writer = new WireWriter();
  const before = written(writer, "before");
  for (const bytes of [16_384, 20_000, 100_000]) written(writer, "x".repeat(bytes));
  writer.string("y".repeat(50_000));
  writer.abandon();
  const after = written(writer, "after");
  assert.equal(after.buffer, before.buffer);
  assert.deepEqual([Buffer.from(before).toString(), Buffer.from(after).toString()], ["\x06before", "\x05after"]);
});

test("uses the place of a lent message again, once it was given back and nothing stands behind it", () => {
  const writer = new WireWriter();
  const lend = (value: string): Payload => {
    const payload = new Payload();
    writer.string(value);
    writer.lend(payload);
    return payload;
  };
  const first = lend("first");
  const { start } = first;
  first.clear();
  const second = lend("second");
  assert.equal(second.start, start);
  const third = lend("third");
  // The third stands behind it, so the place of the second is free only with the buffer.
  second.clear();
  const fourth = lend("fourth");
  assert.ok(fourth.start >= third.end);
  assert.equal(Buffer.from(third.content).toString(), "\x05third");
});

test("gives away messages from 64 KiB on, which need no copy, and lends shorter ones", () => {
  const writer = new WireWriter();
  for (const [bytes, isGiven] of [
    [8192, false],
    [20_000, false],
    [65_535, false],
    [65_536, true],
    [200_000, true],
  ] as const) {
    const payload = new Payload();
    writer.raw(new Uint8Array(bytes).fill(7));
    writer.lend(payload);
    assert.equal(payload.owned, isGiven);
    assert.equal(payload.length, bytes);
    payload.clear();
  }
});

test("writes one message of some KiB after the other into the same memory, and what is finished or lent meanwhile elsewhere", () => {
  const writer = new WireWriter();
  const lend = (fill: number, bytes: number): Payload => {
    const payload = new Payload();
    writer.raw(new Uint8Array(bytes).fill(fill));
    writer.lend(payload);
    return payload;
  };
  const first = lend(1, 20_000);
  const { buffer } = first.bytes;
  const second = lend(2, 30_000);
  assert.notEqual(second.bytes.buffer, buffer, "the first has not left");
  assert.ok(first.view.every((byte) => byte === 1));
  first.clear();
  second.clear();
  writer.raw(new Uint8Array(40_000).fill(3));
  const finished = writer.finish();
  assert.equal(finished.buffer.byteLength, 40_000, "a message that may be kept has no more memory than it needs");
  writer.raw(new Uint8Array(50_000).fill(4));
  writer.abandon();
  const memory = new Set(
    Array.from({ length: 20 }, (_, n) => {
      const payload = lend(5, 17_000 + n * 2000);
      const { buffer } = payload.bytes;
      payload.clear();
      return buffer;
    }),
  );
  assert.equal(memory.size, 1);
  assert.ok(finished.every((byte) => byte === 3));
});

test("keeps a message that grows in steps beyond what is lent", () => {
  const writer = new WireWriter();
  const expected: Buffer[] = [];
  for (let part = 0; part < 40; part++) {
    const bytes = Buffer.alloc(3000, part);
    expected.push(bytes);
    writer.raw(bytes);
  }
  const payload = new Payload();
  writer.lend(payload);
  assert.equal(payload.owned, true);
  assert.ok(Buffer.from(payload.view).equals(Buffer.concat(expected)));
});
