import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import { turn } from "@tercel/test-support/async";
import { Output } from "./output.ts";

describe("an output", () => {
  it("waits while its reader is slow", async () => {
    let release = (): void => {};
    const slow = new Writable({
      highWaterMark: 4,
      write(_chunk, _encoding, done) {
        release = done;
      },
    });
    let isWritten = false;
    const written = new Output(slow).write("12345678").then(() => {
      isWritten = true;
    });
    await turn();
    assert.equal(isWritten, false);
    release();
    await written;
    assert.equal(isWritten, true);
  });

  it("reports once that its reader has gone, and writes nothing more", async () => {
    let closed = 0;
    const broken = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error("broken pipe"), { code: "EPIPE" }));
      },
    });
    const output = new Output(broken, () => closed++);
    await output.line("one");
    await turn();
    await output.line("two");
    assert.equal(closed, 1);
  });

  it("has no colours where no terminal is", () => {
    const output = new Output(new Writable());
    assert.equal(output.style("red", "text"), "text");
    assert.equal(output.columns, 80);
  });
});
