import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FailureError } from "../failure/failure.ts";
import { formatEntry, type ManifestEntry, parseEntry } from "./manifest-entry.ts";

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: "grapheme" }).map((text) => Buffer.from(text)),
);

describe("entries of a manifest", () => {
  it("are parsed as they were formatted, whatever bytes a name has", () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            path: anyBytes,
            kind: fc.constantFrom("file", "folder", "link", "hardlink", "fifo"),
            size: fc.maxSafeNat(),
            mode: fc.nat(0o7777),
            uid: fc.nat(),
            gid: fc.nat(),
            mtime: fc.constantFrom("0", "-1.5", "1796076935.891585476"),
            target: anyBytes,
            digest: fc.constant("sha256:00"),
            offset: fc.maxSafeNat(),
            round: fc.nat(3),
          },
          { requiredKeys: ["path", "kind", "size", "mode", "uid", "gid"] },
        ),
        (entry) => {
          const line = formatEntry(entry as ManifestEntry);
          assert.ok(!line.includes("\n"));
          assert.deepEqual(parseEntry(line), { ...entry });
        },
      ),
    );
  });

  it("keep a path readable that is UTF-8", () => {
    const entry = {
      path: Buffer.from("a/ü"),
      kind: "folder",
      size: 0,
      mode: 0o755,
      uid: 0,
      gid: 0,
      mtime: "1",
    } as const;
    assert.match(formatEntry(entry), /^\{"path":"a\/ü",/);
  });

  for (const line of [
    "",
    "{",
    "null",
    "1",
    "{}",
    '{"path":"a","kind":"door","mtime":"1"}',
    '{"path":"a","kind":"file","size":-1,"mode":0,"uid":0,"gid":0,"mtime":"1"}',
  ]) {
    it(`are refused when malformed: ${line}`, () => {
      assert.throws(
        () => parseEntry(line),
        (error) => error instanceof FailureError && error.failure.reason === "ARCHIVE_DAMAGED",
      );
    });
  }
});
