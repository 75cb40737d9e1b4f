import { randomBytes, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type DevRecord, devRecordFile } from "../target/dev-target.ts";

/** The name of the folder. */
export const stateFolderName = dirname(devRecordFile);

/** The folder `.tercel`: what belongs to this user on this machine alone. Git does not see it. */
export class StateFolder {
  readonly path: string;
  readonly #record: string;

  constructor(root: string) {
    this.#record = join(root, devRecordFile);
    this.path = dirname(this.#record);
    // Events and keys are in it.
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.path, ".gitignore"), "*\n");
  }

  /** A secret that is made up once, so that tokens and page tokens outlive a restart. */
  secret(): string {
    const file = join(this.path, "secret");
    try {
      return readFileSync(file, "utf8").trim();
    } catch {
      makeSecret(file);
      return readFileSync(file, "utf8").trim();
    }
  }

  /** Returns the path of the file. */
  writeToken(service: string, token: string): string {
    const file = join(this.path, `${service}.token`);
    writeFileSync(file, token, { mode: 0o600 });
    return file;
  }

  writeRecord(record: DevRecord): void {
    writeFileSync(this.#record, `${JSON.stringify(record, undefined, 2)}\n`);
  }

  /** Leaves that of another run in the same folder. */
  removeRecord(pid: number): void {
    try {
      const record = JSON.parse(readFileSync(this.#record, "utf8")) as DevRecord;
      if (record.pid === pid) rmSync(this.#record);
    } catch {
      // It is gone already.
    }
  }
}

/** The file has its name when it is whole: of two programs that start together, one makes the secret and both read it. */
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
