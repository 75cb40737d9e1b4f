import { execFileSync } from "node:child_process";

/** Returns the last commit that changed these paths (git's pathspecs), with a "+" if there are uncommitted changes. */
export function commitNow(root: string, paths: readonly string[]): string {
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const commit = git("log", "-1", "--format=%h", "--", ...paths);
  return `${commit}${git("status", "--porcelain", "--", ...paths) === "" ? "" : "+"}`;
}
