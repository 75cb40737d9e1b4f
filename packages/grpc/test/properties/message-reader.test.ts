import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, type ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { MessageReader, messagePrefixBytes, writeMessagePrefix } from "../../src/protocol/index.ts";
import { propertyOptions } from "./property-options.ts";

interface Seen {
  compressed: boolean;
  message: string;
}

const message = fc.record({
  compressed: fc.boolean(),
  message: fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ maxLength: 5000, size: "max" })),
});
const cuts = fc.array(fc.nat(20_000), { maxLength: 30 });

/** Pushes the bytes in chunks cut at these places; collects messages and the error. */
function read(bytes: Uint8Array, places: readonly number[], maxMessageBytes: number) {
  const seen: Seen[] = [];
  const reader = new MessageReader(
    {
      onMessage: ({ content, compressed }) => {
        seen.push({ compressed, message: Buffer.from(content).toString("hex") });
      },
    },
    maxMessageBytes,
  );
  const errors: ConnectError[] = [];
  let from = 0;
  for (const at of [...places.filter((place) => place < bytes.length).sort((a, b) => a - b), bytes.length]) {
    const error = reader.push(bytes, from, at);
    if (error !== undefined) errors.push(error);
    from = at;
  }
  return { seen, errors, isBetweenMessages: reader.isBetweenMessages };
}

describe("the message reader, whatever way the bytes are cut", () => {
  test("finds the messages that were written", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), cuts, (messages, places) => {
        const bytes = Buffer.concat(
          messages.flatMap(({ compressed, message }) => {
            const prefix = Buffer.alloc(messagePrefixBytes);
            writeMessagePrefix(prefix, 0, compressed, message.length);
            return [prefix, message];
          }),
        );
        const expected = messages.map(({ compressed, message }) => ({
          compressed,
          message: Buffer.from(message).toString("hex"),
        }));
        assert.deepEqual(read(bytes, places, 5000), { seen: expected, errors: [], isBetweenMessages: true });
      }),
      propertyOptions(1000),
    );
  });

  test("says the same of any bytes, and ends with one error at most", () => {
    const likely = fc.oneof(fc.constantFrom(0, 0, 0, 1, 4), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(
        fc.array(likely, { maxLength: 200, size: "max" }),
        cuts,
        fc.constantFrom(0, 4, 300),
        (given, places, limit) => {
          const bytes = Uint8Array.from(given);
          const whole = read(bytes, [], limit);
          const pieces = read(
            bytes,
            places.map((place) => place % 200),
            limit,
          );
          const codes = (errors: ConnectError[]): Code[] => errors.map((error) => error.code);
          assert.deepEqual(pieces.seen, whole.seen);
          assert.deepEqual(codes(pieces.errors), codes(whole.errors));
          assert.ok(codes(whole.errors).length <= 1);
          assert.ok(codes(whole.errors).every((code) => code === Code.Internal || code === Code.ResourceExhausted));
          assert.ok(whole.seen.every((one) => one.message.length <= 2 * limit));
        },
      ),
      propertyOptions(3000),
    );
  });
});
