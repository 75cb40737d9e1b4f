import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Payload } from "@tercel/grpc/protocols";
import { TextBlocks } from "./text-blocks.ts";

function setUp() {
  const pieces: Uint8Array[] = [];
  const blocks = new TextBlocks((piece) => pieces.push(piece));
  const payload = new Payload();
  const write = (text: string): number => {
    blocks.lend(text, payload);
    blocks.keep(payload);
    return payload.length;
  };
  const handed = () => Buffer.concat(pieces).toString();
  return { blocks, payload, pieces, write, handed };
}

describe("texts written one behind the other", () => {
  it("are handed on in a few pieces, in order, whatever they are", () => {
    const { blocks, pieces, write, handed } = setUp();
    const texts = Array.from({ length: 2000 }, (_, at) => `${at} ä € 😀 ${"x".repeat((at * 7919) % 90)}\n`);
    texts.splice(700, 0, "y".repeat(100_000), "€".repeat(5000), "");
    for (const text of texts) assert.equal(write(text), Buffer.byteLength(text));
    blocks.flush();
    assert.equal(handed(), texts.join(""));
    assert.ok(pieces.length < 40, `${pieces.length} pieces`);
  });

  it("are handed on at once by a flush, and once", () => {
    const { blocks, pieces, write, handed } = setUp();
    blocks.flush();
    assert.deepEqual(pieces, []);
    write("a");
    blocks.flush();
    blocks.flush();
    write("b");
    assert.equal(handed(), "a");
    blocks.flush();
    assert.equal(handed(), "ab");
  });

  it("are left out where they were lent and not kept", () => {
    const { blocks, payload, write, handed } = setUp();
    write("a");
    blocks.lend("too large", payload);
    assert.equal(Buffer.from(payload.content).toString(), "too large");
    write("b");
    blocks.flush();
    assert.equal(handed(), "ab");
  });

  it("are not written over once they are handed on", () => {
    const { blocks, pieces, write } = setUp();
    write("a".repeat(1000));
    blocks.flush();
    write("b".repeat(1000));
    blocks.flush();
    assert.deepEqual(
      pieces.map((piece) => Buffer.from(piece).toString()),
      ["a".repeat(1000), "b".repeat(1000)],
    );
  });
});
