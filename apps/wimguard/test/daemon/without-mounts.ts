import { execFileSync } from "node:child_process";

/** Why tests that mount a small file system are skipped, or false where they are not. */
export function withoutMounts(): string | false {
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/tmp"], { stdio: "ignore" });
    return false;
  } catch {
    return "mounting is not allowed here";
  }
}
