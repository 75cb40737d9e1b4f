import { Buffer } from "node:buffer";
import { posix } from "node:path";
import { FailureError, fail } from "../failure/failure.ts";
import type { ManifestEntry } from "../manifest/manifest-entry.ts";
import { listEntries, readResolvedEntries } from "./list-entries.ts";

/** One part of what a command has to say. */
export interface ExplorePart {
  readonly text?: string;
  readonly entries?: readonly ManifestEntry[];
  readonly data?: Buffer;
}

export interface ExploreParts {
  readonly manifestPath: string;
  /** Reads the content of a file. */
  read(path: Buffer): AsyncIterable<Buffer>;
}

const maxLineCharacters = 8_192;
/** Entries in one message. */
const entriesAtOnce = 500;
const help = "cd FOLDER, ls [FOLDER], cat FILE, find TEXT, pwd, help";

/** A shell in a snapshot, which has a folder that it is in. Paths are relative to that, or with a slash to the source. */
export class Explorer {
  readonly #parts: ExploreParts;
  #folder = "/";

  constructor(parts: ExploreParts) {
    this.#parts = parts;
  }

  /** Runs one line. @throws FailureError that says what is wrong with it */
  async *run(line: string): AsyncGenerator<ExplorePart> {
    if (line.length > maxLineCharacters) {
      fail({ reason: "FIELD_INVALID", field: "line", message: `a line has at most ${maxLineCharacters} characters` });
    }
    const [, command = "", argument = ""] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(line) ?? [];
    switch (command) {
      case "":
        return;
      case "help":
        yield { text: help };
        return;
      case "pwd":
        yield { text: this.#folder };
        return;
      case "cd":
        yield* this.#changeFolder(argument);
        return;
      case "ls":
        yield* this.#list(argument);
        return;
      case "cat":
        for await (const data of this.#parts.read(this.#resolve(argument))) yield { data };
        return;
      case "find":
        yield* this.#find(argument);
        return;
    }
    const message = `unknown command ${JSON.stringify(command.slice(0, 40))}: use ${help}`;
    fail({ reason: "FIELD_INVALID", field: "line", message });
  }

  async *#changeFolder(argument: string): AsyncGenerator<ExplorePart> {
    const folder = this.#resolve(argument === "" ? "/" : argument);
    // Lists nothing, and says whether there is such a folder.
    await this.#entriesOf(folder, 0);
    this.#folder = `/${folder.toString()}`;
    yield { text: this.#folder };
  }

  async *#list(argument: string): AsyncGenerator<ExplorePart> {
    const { entries } = await this.#entriesOf(this.#resolve(argument), Number.MAX_SAFE_INTEGER);
    for (let at = 0; at < entries.length; at += entriesAtOnce) yield { entries: entries.slice(at, at + entriesAtOnce) };
  }

  async *#find(argument: string): AsyncGenerator<ExplorePart> {
    if (argument === "") fail({ reason: "FIELD_INVALID", field: "line", message: "find needs a part of a name" });
    const inside = this.#resolve("").toString("latin1");
    let entries: ManifestEntry[] = [];
    for await (const entry of readResolvedEntries(this.#parts.manifestPath)) {
      const text = entry.path.toString("latin1");
      if (inside !== "" && !text.startsWith(`${inside}/`)) continue;
      if (!posix.basename(entry.path.toString()).includes(argument)) continue;
      entries.push(entry);
      if (entries.length < entriesAtOnce) continue;
      yield { entries };
      entries = [];
    }
    if (entries.length > 0) yield { entries };
  }

  #entriesOf(parent: Buffer, limit: number) {
    return listEntries(this.#parts.manifestPath, { parent, isRecursive: false, matches: () => true, skip: 0, limit });
  }

  /** What leads out of the source stays at its top. */
  #resolve(argument: string): Buffer {
    return Buffer.from(posix.resolve(this.#folder, argument).slice(1));
  }
}

/** Whether an error is the caller's to read: the shell goes on after it. */
export function toLineError(error: unknown): string {
  if (error instanceof FailureError) return error.message;
  throw error;
}
