import { sep } from "node:path";

/** Whether an absolute path is a folder or something in it. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}
