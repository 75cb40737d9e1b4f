import { lchownSync } from "node:fs";
import { placeOf, walkSource } from "../source/walk-source.ts";

/** Makes everything in a folder this user's, if that is root: some programs have no option to leave owners out. */
export function giveToRoot(folder: string): void {
  const uid = process.geteuid?.();
  if (uid !== 0) return;
  for (const { path } of walkSource(folder, { leaveOut: [], onUnreadable() {} })) {
    lchownSync(placeOf(folder, path), uid, process.getegid?.() ?? 0);
  }
}
