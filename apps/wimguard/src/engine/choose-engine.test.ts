import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FailureError } from "../failure/failure.ts";
import { chooseEngine } from "./choose-engine.ts";

describe("chooseEngine", () => {
  for (const [destination, compression, expected] of [
    ["/b/a.wim", "", ["wim", "LZX", 20]],
    ["/b/a.WIM", "lzx:50", ["wim", "LZX", 50]],
    ["/b/a.wim", "Xpress", ["wim", "XPRESS", 50]],
    ["/b/a.wim", "LZMS", ["wim", "LZMS", 50]],
    ["/b/a.wim", "none", ["wim", "NONE", undefined]],
    ["/b/a.tar.zst", "", ["tar", "ZSTD", 3]],
    ["/b/a.tzst", "zstd:1", ["tar", "ZSTD", 1]],
    ["/b/a.tar", "", ["tar", "NONE", undefined]],
    ["/b/a.tar", "ZSTD:19", ["tar", "ZSTD", 19]],
    ["/b/a", "", ["tar", "ZSTD", 3]],
    ["/b/a", "NONE", ["tar", "NONE", undefined]],
    ["/b/a", "LZX", ["wim", "LZX", 20]],
    ["/b/a.bak", "zstd", ["tar", "ZSTD", 3]],
  ] as const) {
    it(`takes ${expected.filter((part) => part !== undefined).join(" ")} for ${destination} with "${compression}"`, () => {
      const { engine, compression: chosen } = chooseEngine(destination, compression);
      assert.deepEqual([engine, chosen.method, chosen.level], expected);
    });
  }

  for (const [destination, compression] of [
    ["/b/a.wim", "ZSTD"],
    ["/b/a.wim", "LZX:0"],
    ["/b/a.wim", "LZX:101"],
    ["/b/a.wim", "NONE:1"],
    ["/b/a.tar.zst", "LZX"],
    ["/b/a.tar.zst", "ZSTD:0"],
    ["/b/a.tar.zst", "ZSTD:20"],
    ["/b/a.tar.zst", "ZSTD:"],
    ["/b/a", "constructor"],
    ["/b/a", "gzip"],
  ] as const) {
    it(`refuses "${compression}" for ${destination} and says what fits`, () => {
      assert.throws(
        () => chooseEngine(destination, compression),
        (error) =>
          error instanceof FailureError &&
          error.failure.reason === "COMPRESSION_UNKNOWN" &&
          error.failure.field === "compression" &&
          /: use (?:LZX|ZSTD), /.test(error.message),
      );
    });
  }
});
