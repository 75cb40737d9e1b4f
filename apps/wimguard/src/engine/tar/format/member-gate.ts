import type { Buffer } from "node:buffer";
import { fail } from "../../../failure/failure.ts";
import type { TarMember } from "./tar-header.ts";
import { memberPath } from "./tar-messages.ts";

/**
 * Checks the members of an archive, in order, before any is extracted: none may leave the folder it is extracted into, by its name or
 * through a link that came before it.
 */
export class MemberGate {
  /** Paths that were links once, as latin1 text. */
  readonly #links = new Set<string>();

  /**
   * Returns the path of the member relative to the folder, empty for the folder itself.
   *
   * @throws FailureError MEMBER_UNSAFE that names the member
   */
  check(member: TarMember): Buffer {
    const path = this.#checkPath(member, member.path);
    if (member.kind === "hardlink" && member.linkPath !== undefined) this.#checkPath(member, member.linkPath);
    if (path.length === 0 && member.kind !== "folder" && member.kind !== "file") unsafe(member, "its name is empty");
    const text = path.toString("latin1");
    if (this.#links.has(text)) unsafe(member, "it would be written through a link");
    if (member.kind === "link") this.#links.add(text);
    return path;
  }

  #checkPath(member: TarMember, name: Buffer): Buffer {
    const path = memberPath(name);
    const text = path.toString("latin1");
    if (text.startsWith("/")) unsafe(member, "its path is absolute");
    if (text.includes("\0")) unsafe(member, "its path contains NUL");
    const names = text.split("/");
    if (names.includes("..")) unsafe(member, "its path leads out of the folder");
    if (path.length > 0 && (names.includes("") || names.includes(".")))
      unsafe(member, "its path is not in normal form");
    for (let count = 1; count < names.length && this.#links.size > 0; count++) {
      if (this.#links.has(names.slice(0, count).join("/"))) unsafe(member, "it would be written through a link");
    }
    return path;
  }
}

function unsafe(member: TarMember, problem: string): never {
  const path = member.path.toString();
  fail({
    reason: "MEMBER_UNSAFE",
    engine: "tar",
    path,
    message: `unsafe member ${JSON.stringify(path)} in the archive: ${problem}; nothing was restored`,
  });
}
