import { hkdfSync, randomBytes, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { openStorage } from "../storage/storage-start-error.ts";

/** What a service keeps to itself. Keys for one purpose tell nothing of keys for another. */
export interface ServiceSecret {
  /** A key of 32 bytes that is the same after a restart. */
  key(purpose: string): Uint8Array;
}

const secretBytes = 32;

/**
 * Reads the secret from its file, base64 on one line, and makes one where there is none, for this user only.
 *
 * @throws Error when the file cannot be read or written, or holds less than 32 bytes; it names the file and what to do
 */
export function openServiceSecret(path: string): ServiceSecret {
  const secret = Buffer.from(openStorage(path, () => readOrCreate(path)).trim(), "base64");
  if (secret.length < secretBytes) {
    throw new Error(
      `${path} holds a secret of ${secret.length} bytes, but needs at least ${secretBytes} as base64; ` +
        "restore a backup, or delete it to have a new one made (tokens and keys made with the old one stop working)",
    );
  }
  return { key: (purpose) => new Uint8Array(hkdfSync("sha256", secret, "", purpose, secretBytes)) };
}

function readOrCreate(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Linked when it is whole: of two programs that start together, one makes the secret and the other reads it.
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, `${randomBytes(secretBytes).toString("base64")}\n`, { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    unlinkSync(draft);
  }
  return readFileSync(path, "utf8");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
