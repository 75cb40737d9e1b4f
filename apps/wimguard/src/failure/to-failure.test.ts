import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { statusOfReason } from "./failure.ts";
import { toFailure } from "./to-failure.ts";

describe("toFailure", () => {
  for (const code of ["ENOSPC", "EDQUOT"]) {
    it(`says that there is no space for ${code}, with its path`, () => {
      const error = Object.assign(new Error(`${code}: write`), { code, path: "/b/a.tar" });
      const { reason, path, message, remedy } = toFailure(error);
      assert.deepEqual(
        [reason, statusOfReason[reason], path, message, remedy],
        [
          "NO_SPACE",
          Code.ResourceExhausted,
          "/b/a.tar",
          `no space left: ${code}: write`,
          "free some space, then repeat",
        ],
      );
    });
  }

  it("keeps the text of the system for any other error", () => {
    const error = Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", path: "/a" });
    assert.deepEqual(toFailure(error), { reason: "IO_FAILED", message: "EIO: i/o error, read", path: "/a" });
  });
});
