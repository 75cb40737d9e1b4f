import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { importPeer } from "./import-peer.ts";
import { PermanentError } from "./permanent-error.ts";

const peer = { name: "absent-package", range: "^8" };

describe("an optional package", () => {
  it("that is missing ends the start with the command that installs it", async () => {
    const name: string = peer.name;
    await assert.rejects(
      importPeer("database postgres", peer, () => import(name)),
      (error) => {
        assert.ok(error instanceof PermanentError);
        assert.equal(
          error.message,
          "database postgres needs the package absent-package: npm install absent-package@^8",
        );
        return true;
      },
    );
  });

  it("that fails to load is not taken for missing", async () => {
    const broken = importPeer("cache redis", peer, async () => {
      throw new SyntaxError("unexpected token");
    });
    await assert.rejects(broken, SyntaxError);
  });
});
