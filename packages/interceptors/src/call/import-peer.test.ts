import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { importPeer } from "./import-peer.ts";

describe("an optional package", () => {
  it("that is missing causes an error with the command that installs it and its peers", async () => {
    const name: string = "@absent/package";
    await assert.rejects(
      importPeer("createAuth", ["@absent/package@6", "other@1"], () => import(name)),
      { message: "createAuth needs @absent/package, other: npm install @absent/package@6 other@1" },
    );
  });

  it("that fails to load, or misses a dependency, is not reported as missing", async () => {
    const failure = Object.assign(new Error("Cannot find package 'inner' imported from /a/package"), {
      code: "ERR_MODULE_NOT_FOUND",
    });
    for (const error of [failure, new SyntaxError("unexpected token")]) {
      await assert.rejects(
        importPeer("createAuth", ["package@6"], () => Promise.reject(error)),
        error,
      );
    }
  });
});
