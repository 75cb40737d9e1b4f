import type { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import { fail } from "../failure/failure.ts";
import { displayPath, type ManifestEntry } from "./manifest-entry.ts";

/** Compares the content of a file with what its manifest says. */
export interface DigestCheck {
  update(bytes: Buffer): void;
  /**
   * Returns the SHA-256 of the file.
   *
   * @throws FailureError ARCHIVE_DAMAGED that names the file
   */
  end(): Buffer;
}

/** Engines differ in the algorithm of their digests; clients get SHA-256 from all of them. */
export function createDigestCheck({ path, digest: expected }: Pick<ManifestEntry, "path" | "digest">): DigestCheck {
  const sha256 = createHash("sha256");
  const [algorithm = ""] = expected?.split(":") ?? [];
  const other: Hash | undefined = expected === undefined || algorithm === "sha256" ? undefined : createHash(algorithm);
  return {
    update(bytes) {
      sha256.update(bytes);
      other?.update(bytes);
    },
    end() {
      const digest = sha256.digest();
      const found = `${algorithm}:${other?.digest("hex") ?? digest.toString("hex")}`;
      if (expected !== undefined && found !== expected) damagedFile(path);
      return digest;
    },
  };
}

/** @throws FailureError ARCHIVE_DAMAGED */
export function damagedFile(path: Buffer): never {
  const name = displayPath(path);
  const message = `the archive is damaged: ${JSON.stringify(name)} is not what was backed up`;
  fail({ reason: "ARCHIVE_DAMAGED", path: name, message });
}
