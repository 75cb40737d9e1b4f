import { existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";

const writableByOthers = 0o022;
const sticky = 0o1000;

/**
 * Creates a folder in which only this user and root can put anything, and returns its real path; undefined where others could replace it or what is
 * in it. A folder above that others can write to is refused as well, unless it is sticky like `/tmp`.
 */
export function openPrivateFolder(folder: string): string | undefined {
  // Looked at before anything is created: with the HOME of another user, root would leave a folder there that is not that user's.
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  if (!isPrivate(realpathSync(existing))) return undefined;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return realpathSync(folder);
}

/** Without links on the way: what they lead to may change, the path itself cannot. */
function isPrivate(realPath: string): boolean {
  const user = process.getuid?.();
  // Windows has no modes; what is below a user's profile is that user's.
  if (user === undefined) return true;
  for (let path = realPath; ; path = dirname(path)) {
    const { uid, mode } = statSync(path);
    if (uid !== user && uid !== 0) return false;
    // In a sticky folder others can add names, but not replace ours. The folder itself must not have names of others.
    const isShared = (mode & sticky) !== 0 && path !== realPath;
    if ((mode & writableByOthers) !== 0 && !isShared) return false;
    if (dirname(path) === path) return true;
  }
}
