import type { EngineWarning, WarningReason } from "../engine/engine.ts";
import { displayPath } from "../manifest/manifest-entry.ts";

/** A warning as it is stored and sent. */
export interface StoredWarning {
  readonly reason: WarningReason;
  /** The path's bytes in base64. */
  readonly path: string;
  readonly displayPath: string;
  readonly message: string;
}

/** Warnings of one job: the first hundred and their total number. */
export interface Warnings {
  readonly first: readonly StoredWarning[];
  readonly count: number;
}

const maxKept = 100;
const maxNamed = 10;
const maxPathCharacters = 1024;

/** Collects the warnings of a job; an unreadable path is reported once. */
export class WarningList {
  readonly #first: StoredWarning[] = [];
  readonly #unreadable = new Set<string>();
  #count = 0;

  add({ reason, path, message }: EngineWarning): StoredWarning | undefined {
    const encoded = path.toString("base64");
    if (reason === "UNREADABLE") {
      if (this.#unreadable.has(encoded)) return undefined;
      // Beyond this, counting one twice is better than unbounded memory.
      if (this.#unreadable.size < 10_000) this.#unreadable.add(encoded);
    }
    this.#count++;
    const warning = { reason, path: encoded, displayPath: displayPath(path).slice(0, maxPathCharacters), message };
    if (this.#first.length < maxKept) this.#first.push(warning);
    return warning;
  }

  get value(): Warnings {
    return { first: this.#first, count: this.#count };
  }
}

const textOfReason: Readonly<Record<WarningReason, readonly [one: string, many: string]>> = {
  UNREADABLE: ["entry could not be read", "entries could not be read"],
  FILE_CHANGED: ["file changed while it was read", "files changed while they were read"],
  FILE_GONE: ["file was removed before it was read", "files were removed before they were read"],
  SOCKET_SKIPPED: ["socket was skipped", "sockets were skipped"],
  METADATA_LOST: ["entry lost attributes", "entries lost attributes"],
  CONFLICT: [
    "entry was not restored because of a folder in its place",
    "entries were not restored because of folders in their places",
  ],
  PREVIOUS_DAMAGED: ["archive of an earlier backup is damaged", "archives of earlier backups are damaged"],
};

/** Describes warnings in one text, such as `2 entries could not be read: a, b`. Empty without warnings. */
export function describeWarnings({ first, count }: Warnings): string {
  const byReason = Map.groupBy(first, ({ reason }) => reason);
  const texts = [...byReason].map(([reason, ofReason]) => {
    const [one, many] = textOfReason[reason];
    const names = ofReason.slice(0, maxNamed).map((warning) => warning.displayPath);
    const more = ofReason.length > names.length ? `, and ${ofReason.length - names.length} more` : "";
    return `${ofReason.length} ${ofReason.length === 1 ? one : many}: ${names.join(", ")}${more}`;
  });
  const rest = count - first.length;
  return [...texts, ...(rest > 0 ? [`${rest} more warnings`] : [])].join("; ");
}
