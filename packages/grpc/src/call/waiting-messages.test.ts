import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type MessageTaker, WaitingMessages } from "./waiting-messages.ts";

const taken: MessageTaker<{ payload: Buffer; compressed: boolean; bytes: Uint8Array }> = {
  takeMessage: (bytes, start, end, compressed) => ({
    payload: Buffer.from(bytes.subarray(start, end)),
    compressed,
    bytes,
  }),
};

/** What waits, how it is stored aside, may cost this many times its bytes on the wire. */
const mostHeldFor = (wireBytes: number): number => 256 + 5 * wireBytes;

describe("waiting messages", () => {
  it("come out in order and as they were, of every size, mixed, while others come in", () => {
    const waiting = new WaitingMessages();
    const sizes = [0, 1, 31, 32, 127, 128, 255, 256, 1000, 4095, 4096, 4097, 16_384, 70_000];
    const expected: Buffer[] = [];
    let next = 0;
    for (let round = 0; round < 400; round++) {
      const size = sizes[(round * 5 + (round >>> 4)) % sizes.length] as number;
      const source = Buffer.alloc(size + 2, round);
      expected.push(Buffer.from(source.subarray(1, -1)));
      waiting.push(source, 1, size + 1, round % 3 === 0, false);
      source.fill(0xee);
      for (let takes = round % 5 === 0 ? 4 : 0; takes > 0 && waiting.count > 0; takes--, next++) {
        const { payload, compressed } = waiting.shift(taken);
        assert.ok(payload.equals(expected[next] as Buffer), `message ${next}`);
        assert.equal(compressed, next % 3 === 0);
      }
    }
    assert.equal(waiting.count, expected.length - next);
    while (waiting.count > 0) assert.ok(waiting.shift(taken).payload.equals(expected[next++] as Buffer));
    assert.equal(next, expected.length);
    assert.equal(waiting.payloadBytes, 0);
    assert.equal(waiting.heldBytes, 0);
  });

  for (const size of [0, 1, 100, 250, 1000, 3000, 4095, 4096, 50_000]) {
    it(`of ${size} bytes are held in less than five times what they took on the wire, from the first on`, () => {
      const waiting = new WaitingMessages();
      const message = new Uint8Array(size);
      for (let count = 1; count <= 200; count++) {
        waiting.push(message, 0, size, false, false);
        assert.ok(waiting.heldBytes <= mostHeldFor(count * (size + 5)), `${count} are held in ${waiting.heldBytes}`);
      }
    });
  }

  it("leave their memory as they are taken, although there are always some", () => {
    const waiting = new WaitingMessages();
    const message = new Uint8Array(100);
    for (let i = 0; i < 100; i++) waiting.push(message, 0, 100, false, false);
    for (let i = 0; i < 10_000; i++) {
      waiting.push(message, 0, 100, false, false);
      waiting.shift(taken);
    }
    assert.ok(waiting.heldBytes <= 3 * 16_384, `${waiting.heldBytes} bytes are held for 100 messages`);
  });

  it("take a large buffer over when it is given, and copy it when it is lent", () => {
    const waiting = new WaitingMessages();
    const large = new Uint8Array(4096);
    waiting.push(large, 0, 4096, false, true);
    waiting.push(large, 0, 4096, false, false);
    assert.equal(waiting.shift(taken).bytes.buffer, large.buffer);
    assert.notEqual(waiting.shift(taken).bytes.buffer, large.buffer);
  });

  it("make no small message hold back more than 16 KiB", () => {
    const waiting = new WaitingMessages();
    for (let i = 0; i < 2000; i++) waiting.push(new Uint8Array(100), 0, 100, false, false);
    while (waiting.count > 0) assert.ok(waiting.shift(taken).bytes.buffer.byteLength <= 16 * 1024);
  });

  it("are gone when they are cleared, and others can wait", () => {
    const waiting = new WaitingMessages();
    waiting.push(Buffer.from("ab"), 0, 2, false, false);
    waiting.push(Buffer.from("cd"), 0, 2, false, false);
    waiting.shift(taken);
    waiting.clear();
    assert.equal(waiting.count, 0);
    assert.equal(waiting.heldBytes, 0);
    waiting.push(Buffer.from("ef"), 0, 2, true, false);
    assert.equal(waiting.shift(taken).payload.toString(), "ef");
  });
});
