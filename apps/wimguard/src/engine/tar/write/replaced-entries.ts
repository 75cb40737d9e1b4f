import type { Buffer } from "node:buffer";
import type { TarMember } from "../format/tar-header.ts";
import { memberPath } from "../format/tar-messages.ts";
import type { LookedEntry } from "./entry-states.ts";

/** What a member is: as it was looked at or later; something else in its place; in a folder that was replaced, and reported. */
export type MemberVerdict = "same" | "replaced" | "inside";

/**
 * Finds members that are not what was looked at when tar was given their names. tar finds a file by its path: where a folder on the way has become
 * a link since, it reads a file elsewhere, which whoever has put the link there may not be allowed to read.
 */
export class ReplacedEntries {
  readonly #onFolder: (path: Buffer) => void;
  /** Folders that came as something else, with a slash: nothing can be inside. */
  readonly #blocked: string[] = [];
  readonly #leftOut = new Set<string>();

  /** @param onFolder receives each folder that came as something else */
  constructor(onFolder: (path: Buffer) => void) {
    this.#onFolder = onFolder;
  }

  check(member: TarMember, path: Buffer, looked: LookedEntry | undefined): MemberVerdict {
    if (this.isBlocked(path)) return "inside";
    const wasFolder = looked?.isFolder === true && member.kind !== "folder";
    if (wasFolder) {
      this.#blocked.push(`${path.toString("latin1")}/`);
      this.#onFolder(path);
    }
    if (!this.#isReplaced(member, looked)) return "same";
    this.#leftOut.add(path.toString("latin1"));
    return wasFolder ? "inside" : "replaced";
  }

  /** Whether a path is in a folder that came as something else. */
  isBlocked(path: Buffer): boolean {
    if (this.#blocked.length === 0) return false;
    const text = path.toString("latin1");
    return this.#blocked.some((folder) => text.startsWith(folder));
  }

  #isReplaced(member: TarMember, looked: LookedEntry | undefined): boolean {
    const { kind, linkPath } = member;
    // A further name of a file that the archive does not have.
    if (kind === "hardlink") {
      return linkPath !== undefined && this.#leftOut.has(memberPath(linkPath).toString("latin1"));
    }
    // Content is what has to be kept from others.
    return kind === "file" && looked !== undefined && !isSameFile(member, looked);
  }
}

/** Every change gives an inode a new ctime, which no program can set: what has an earlier one is another file. A later state has the same owner. */
function isSameFile({ uid, gid, ctimeNs }: TarMember, looked: LookedEntry): boolean {
  if (ctimeNs === looked.ctimeNs) return true;
  return uid === looked.uid && gid === looked.gid && (ctimeNs === undefined || ctimeNs > looked.ctimeNs);
}
