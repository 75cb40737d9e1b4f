import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Payload } from "../../protocol/payload.ts";
import { WaitingMessages } from "./waiting-messages.ts";

const message = (bytes: Uint8Array, compressed = false): Payload =>
  new Payload().borrow(bytes, 0, bytes.length, compressed);

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
      waiting.push(new Payload().borrow(source, 1, size + 1, round % 3 === 0));
      source.fill(0xee);
      for (let takes = round % 5 === 0 ? 4 : 0; takes > 0 && waiting.count > 0; takes--, next++) {
        const { content, compressed } = waiting.shift();
        assert.ok(Buffer.from(content).equals(expected[next] as Buffer), `message ${next}`);
        assert.equal(compressed, next % 3 === 0);
      }
    }
    assert.equal(waiting.count, expected.length - next);
    while (waiting.count > 0) assert.ok(Buffer.from(waiting.shift().content).equals(expected[next++] as Buffer));
    assert.equal(next, expected.length);
    assert.equal(waiting.payloadBytes, 0);
    assert.equal(waiting.heldBytes, 0);
  });

  for (const size of [0, 1, 100, 250, 1000, 3000, 4095, 4096, 50_000]) {
    it(`of ${size} bytes are held in less than five times what they took on the wire, from the first on`, () => {
      const waiting = new WaitingMessages();
      const bytes = new Uint8Array(size);
      for (let count = 1; count <= 200; count++) {
        waiting.push(message(bytes));
        assert.ok(waiting.heldBytes <= mostHeldFor(count * (size + 5)), `${count} are held in ${waiting.heldBytes}`);
      }
    });
  }

  it("leave their memory as they are taken, although there are always some", () => {
    const waiting = new WaitingMessages();
    const bytes = new Uint8Array(100);
    for (let i = 0; i < 100; i++) waiting.push(message(bytes));
    for (let i = 0; i < 10_000; i++) {
      waiting.push(message(bytes));
      waiting.shift();
    }
    assert.ok(waiting.heldBytes <= 3 * 16_384, `${waiting.heldBytes} bytes are held for 100 messages`);
  });

  it("take a large buffer over when it is owned, and copy it when it is borrowed", () => {
    const waiting = new WaitingMessages();
    const large = new Uint8Array(4096);
    waiting.push(new Payload().whole(large, false, true));
    waiting.push(message(large));
    assert.equal(waiting.shift().bytes.buffer, large.buffer);
    assert.notEqual(waiting.shift().bytes.buffer, large.buffer);
  });

  it("make no small message hold back more than 16 KiB", () => {
    const waiting = new WaitingMessages();
    for (let i = 0; i < 2000; i++) waiting.push(message(new Uint8Array(100)));
    while (waiting.count > 0) assert.ok(waiting.shift().bytes.buffer.byteLength <= 16 * 1024);
  });

  it("are gone when they are cleared, and others can wait", () => {
    const waiting = new WaitingMessages();
    waiting.push(message(Buffer.from("ab")));
    waiting.push(message(Buffer.from("cd")));
    waiting.shift();
    waiting.clear();
    assert.equal(waiting.count, 0);
    assert.equal(waiting.heldBytes, 0);
    waiting.push(message(Buffer.from("ef"), true));
    assert.equal(Buffer.from(waiting.shift().content).toString(), "ef");
  });
});
