import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { FailureError } from "../failure/failure.ts";
import { hashFile } from "./hash-file.ts";

describe("hashFile", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-hash-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  function writeFile(size: number): { readonly path: string; readonly content: Buffer } {
    const content = Buffer.from(Array.from({ length: 997 }, (_, at) => (at * size + at) % 256));
    const whole = Buffer.alloc(size, content);
    const path = join(folder, `f${size}`);
    writeFileSync(path, whole);
    return { path, content: whole };
  }

  it("is the digest that other programs print, by SHA-256 or another algorithm", async () => {
    const { path } = writeFile(700_001);
    for (const [algorithm, program] of [
      ["sha256", "sha256sum"],
      ["sha1", "sha1sum"],
    ] as const) {
      const expected = execFileSync(program, [path], { encoding: "utf8" }).split(" ", 1)[0];
      assert.equal(await hashFile(path, undefined, { algorithm }), expected);
    }
  });

  it("keeps files apart that are hashed at once", async () => {
    // The buffer is 256 KiB, and a turn 4 MiB.
    const files = [0, 1, 262_144, 262_145, 4_194_304, 9_000_000].map(writeFile);
    const digests = await Promise.all(files.map(({ path }) => hashFile(path)));
    const expected = files.map(({ content }) => createHash("sha256").update(content).digest("hex"));
    assert.deepEqual(digests, expected);
  });

  it("shows what it reads, in order", async () => {
    const { path, content } = writeFile(600_000);
    const parts: Buffer[] = [];
    await hashFile(path, undefined, { onRead: (bytes) => parts.push(Buffer.from(bytes)) });
    assert.ok(Buffer.concat(parts).equals(content));
  });

  it("ends when it is cancelled", async () => {
    const { path } = writeFile(9_000_000);
    await assert.rejects(
      hashFile(path, AbortSignal.abort()),
      (error) => error instanceof FailureError && error.failure.reason === "CANCELLED",
    );
  });

  it("lets a cancel in between small files", async () => {
    const { path } = writeFile(1);
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    const hashUntilCancelled = async (): Promise<void> => {
      while (true) await hashFile(path, controller.signal);
    };
    await assert.rejects(hashUntilCancelled(), { name: "FailureError" });
  });

  it("does not wait for the writer of a pipe", async () => {
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    assert.equal(await hashFile(path), createHash("sha256").digest("hex"));
  });
});
