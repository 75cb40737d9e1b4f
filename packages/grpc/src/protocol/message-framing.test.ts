import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { MessageReader, type MessageSink, messagePrefixBytes, writeMessagePrefix } from "./message-framing.ts";

interface Recorded {
  text: string;
  compressed: boolean;
}

function createRecorder(): MessageSink & { readonly messages: Recorded[] } {
  const messages: Recorded[] = [];
  return {
    messages,
    onMessage({ content, compressed }) {
      messages.push({ text: Buffer.from(content).toString("latin1"), compressed });
    },
  };
}

function frame(text: string, compressed = false): Buffer {
  const framed = Buffer.alloc(messagePrefixBytes + text.length);
  writeMessagePrefix(framed, 0, compressed, text.length);
  framed.write(text, messagePrefixBytes, "latin1");
  return framed;
}

function pushAll(reader: MessageReader, ...pieces: Uint8Array[]): void {
  for (const piece of pieces) assert.equal(reader.push(piece, 0, piece.length), undefined);
}

const sequence: readonly Recorded[] = [
  { text: "", compressed: false },
  { text: "first", compressed: false },
  { text: "", compressed: true },
  { text: "x".repeat(40), compressed: true },
  { text: "last", compressed: false },
];
const bytes = Buffer.concat(sequence.map(({ text, compressed }) => frame(text, compressed)));

test("gives the same messages for every split into two pushes", () => {
  for (let cut = 0; cut <= bytes.length; cut++) {
    const sink = createRecorder();
    const reader = new MessageReader(sink, 100);
    pushAll(reader, bytes.subarray(0, cut), bytes.subarray(cut));
    assert.deepEqual(sink.messages, sequence, `cut at ${cut}`);
    assert.equal(reader.isBetweenMessages, true);
  }
});

test("gives the same messages for every split into three pushes", () => {
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      const sink = createRecorder();
      pushAll(
        new MessageReader(sink, 100),
        bytes.subarray(0, first),
        bytes.subarray(first, second),
        bytes.subarray(second),
      );
      assert.deepEqual(sink.messages, sequence, `cuts at ${first} and ${second}`);
    }
  }
});

test("gives the same messages when every byte comes alone", () => {
  const sink = createRecorder();
  const reader = new MessageReader(sink, 100);
  for (let at = 0; at < bytes.length; at++) assert.equal(reader.push(bytes, at, at + 1), undefined);
  assert.deepEqual(sink.messages, sequence);
});

test("hands on a thousand messages of one push", () => {
  const sink = createRecorder();
  pushAll(new MessageReader(sink, 100), Buffer.concat(Array.from({ length: 1000 }, (_, n) => frame(String(n)))));
  assert.deepEqual(
    sink.messages.map(({ text }) => text),
    Array.from({ length: 1000 }, (_, n) => String(n)),
  );
});

test("hands a whole message on in place and a split one in a buffer of its own", () => {
  const seen: { bytes: Uint8Array; start: number; end: number; owned: boolean }[] = [];
  const reader = new MessageReader(
    { onMessage: ({ bytes, start, end, owned }) => seen.push({ bytes, start, end, owned }) },
    100,
  );
  const whole = frame("whole");
  const split = frame("split");
  pushAll(reader, whole, split.subarray(0, 8), split.subarray(8));
  assert.equal(seen[0]?.bytes, whole);
  assert.deepEqual([seen[0]?.start, seen[0]?.end, seen[0]?.owned], [5, 10, false]);
  assert.deepEqual([seen[1]?.start, seen[1]?.end, seen[1]?.owned], [0, 5, true]);
  assert.equal(seen[1]?.bytes.constructor, Uint8Array);
  assert.equal(Buffer.from(seen[1]?.bytes ?? []).toString(), "split");
});

test("gathers a message of many pieces whole", () => {
  const content = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 7) & 0xff)).toString("latin1");
  const framed = frame(content);
  const sink = createRecorder();
  const reader = new MessageReader(sink, 70_000);
  for (let at = 0; at < framed.length; at += 97) reader.push(framed, at, Math.min(at + 97, framed.length));
  assert.equal(sink.messages.length, 1);
  assert.equal(sink.messages[0]?.text, content);
});

test("gathers large messages whole, several at once, through buffers that others have used before", () => {
  // Past each of the sizes in which a message grows, and at their edges.
  const sizes = [20_000, 65_536, 65_537, 262_144, 300_000, 1_048_576, 4_500_000];
  for (let round = 0; round < 2; round++) {
    const readers = sizes.map((size, index) => {
      const payload = Buffer.alloc(size, `${round}${index}abcdefghijk`);
      const received: Uint8Array[] = [];
      const sink: MessageSink = {
        onMessage({ content, owned }) {
          assert.equal(owned, true);
          received.push(content);
        },
      };
      const prefix = Buffer.alloc(messagePrefixBytes);
      writeMessagePrefix(prefix, 0, false, size);
      return { bytes: Buffer.concat([prefix, payload]), payload, received, reader: new MessageReader(sink, size) };
    });
    for (let at = 0; at < 4_500_005; at += 16_000) {
      for (const { reader, bytes } of readers) pushAll(reader, bytes.subarray(at, at + 16_000));
    }
    // Every message is looked at when all are complete: none may lie in memory that another was given.
    for (const { received, payload } of readers) {
      assert.equal(received.length, 1);
      assert.ok(Buffer.compare(received[0] as Uint8Array, payload) === 0);
      assert.equal((received[0] as Uint8Array).buffer.byteLength, payload.length);
    }
  }
});

test("does not allocate what a prefix merely announces", () => {
  const prefix = Buffer.alloc(6);
  writeMessagePrefix(prefix, 0, false, 64 * 1024 * 1024);
  const readers = Array.from({ length: 200 }, () => new MessageReader(createRecorder(), 64 * 1024 * 1024));
  const before = process.memoryUsage().arrayBuffers;
  for (const reader of readers) assert.equal(reader.push(prefix, 0, 6), undefined);
  assert.ok(process.memoryUsage().arrayBuffers - before < 4 * 1024 * 1024);
  assert.equal(readers[0]?.isBetweenMessages, false);
});

test("accepts a message of the limit and refuses one byte more, wherever the prefix is cut", () => {
  for (let cut = 0; cut <= messagePrefixBytes; cut++) {
    const fitting = frame("x".repeat(10));
    const sink = createRecorder();
    pushAll(new MessageReader(sink, 10), fitting.subarray(0, cut), fitting.subarray(cut));
    assert.equal(sink.messages.length, 1);

    const prefix = frame("x".repeat(11)).subarray(0, messagePrefixBytes);
    const reader = new MessageReader(sink, 10);
    const error = reader.push(prefix, 0, cut) ?? reader.push(prefix, cut, messagePrefixBytes);
    assert.equal(error?.code, Code.ResourceExhausted);
    assert.match(error?.rawMessage ?? "", /11 bytes exceeds the limit of 10 bytes/);
    assert.equal(sink.messages.length, 1);
  }
});

test("accepts only empty messages under a limit of zero", () => {
  const sink = createRecorder();
  const reader = new MessageReader(sink, 0);
  pushAll(reader, frame(""));
  assert.equal(sink.messages.length, 1);
  assert.equal(reader.push(frame("x"), 0, 6)?.code, Code.ResourceExhausted);
});

test("compares lengths beyond two gibibytes as positive numbers, in one piece and byte by byte", () => {
  const prefix = Buffer.from([0, 0xff, 0xff, 0xff, 0xff]);
  const whole = new MessageReader(createRecorder(), 1000).push(prefix, 0, 5);
  assert.match(whole?.rawMessage ?? "", /4294967295 bytes/);
  const reader = new MessageReader(createRecorder(), 1000);
  for (let at = 0; at < 4; at++) assert.equal(reader.push(prefix, at, at + 1), undefined);
  assert.match(reader.push(prefix, 4, 5)?.rawMessage ?? "", /4294967295 bytes/);
});

test("refuses every flag but 0 and 1 as Internal", () => {
  for (let flag = 0; flag < 256; flag++) {
    const error = new MessageReader(createRecorder(), 10).push(Buffer.from([flag, 0, 0, 0, 0]), 0, 5);
    assert.equal(error?.code, flag < 2 ? undefined : Code.Internal);
  }
});

test("hands on what came before a broken prefix and ignores what follows", () => {
  const sink = createRecorder();
  const reader = new MessageReader(sink, 10);
  const bytes = Buffer.concat([frame("good"), Buffer.from([9, 0, 0, 0, 0]), frame("lost")]);
  assert.equal(reader.push(bytes, 0, bytes.length)?.code, Code.Internal);
  assert.equal(reader.push(frame("lost"), 0, 9), undefined);
  assert.deepEqual(
    sink.messages.map(({ text }) => text),
    ["good"],
  );
});

test("stops within a push when the sink halts it", () => {
  const seen: number[] = [];
  const reader: MessageReader = new MessageReader(
    {
      onMessage({ length }) {
        seen.push(length);
        if (seen.length === 2) reader.halt();
      },
    },
    10,
  );
  const bytes = Buffer.concat([frame("a"), frame("bb"), frame("ccc")]);
  assert.equal(reader.push(bytes, 0, bytes.length), undefined);
  assert.deepEqual(seen, [1, 2]);
});

test("ignores the rest of a message after halt", () => {
  const sink = createRecorder();
  const reader = new MessageReader(sink, 10);
  const bytes = frame("abcdef");
  reader.push(bytes, 0, 8);
  reader.halt();
  assert.equal(reader.push(bytes, 8, bytes.length), undefined);
  assert.equal(sink.messages.length, 0);
});

test("is between messages only where a message ends", () => {
  const bytes = frame("abc");
  const reader = new MessageReader(createRecorder(), 10);
  assert.equal(reader.isBetweenMessages, true);
  for (let at = 0; at < bytes.length - 1; at++) {
    reader.push(bytes, at, at + 1);
    assert.equal(reader.isBetweenMessages, false, `after byte ${at}`);
  }
  reader.push(bytes, bytes.length - 1, bytes.length);
  assert.equal(reader.isBetweenMessages, true);
});

test("writes flag and length big-endian at the offset", () => {
  const target = new Uint8Array(8);
  writeMessagePrefix(target, 2, true, 0xfedc_ba98);
  assert.deepEqual([...target], [0, 0, 1, 0xfe, 0xdc, 0xba, 0x98, 0]);
});
