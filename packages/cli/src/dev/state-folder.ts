import { randomBytes, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type DevRecord, devRecordFile } from "../target/dev-target.ts";

/** The name of the folder. */
export const stateFolderName = dirname(devRecordFile);

/** The folder `.tercel`: state of this user on this machine, ignored by Git. */
export class StateFolder {
  readonly path: string;
  readonly #record: string;

  constructor(root: string) {
    this.#record = join(root, devRecordFile);
    this.path = dirname(this.#record);
    // It contains events and keys.
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.path, ".gitignore"), "*\n");
  }

  /** Returns a secret that is generated once, so that tokens and page tokens stay valid across restarts. */
  secret(): string {
    const file = join(this.path, "secret");
    try {
      return readFileSync(file, "utf8").trim();
    } catch {
      makeSecret(file);
      return readFileSync(file, "utf8").trim();
    }
  }

  /** Writes a token and returns the path of its file. */
  writeToken(service: string, token: string): string {
    const file = join(this.path, `${service}.token`);
    writeFileSync(file, token, { mode: 0o600 });
    return file;
  }

  writeRecord(record: DevRecord): void {
    writeFileSync(this.#record, `${JSON.stringify(record, undefined, 2)}\n`);
  }

  /** Removes the record, unless it belongs to another run in the same folder. */
  removeRecord(pid: number): void {
    try {
      const record = JSON.parse(readFileSync(this.#record, "utf8")) as DevRecord;
      if (record.pid === pid) rmSync(this.#record);
    } catch {
      // The record no longer exists.
    }
  }
}

/** Creates the secret by renaming a complete file: of two programs that start together, one creates it and both read it. */
function makeSecret(file: string): void {
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft);
  }
}
