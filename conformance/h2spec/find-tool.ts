import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** A program of h2spec's on the PATH or where `go install` puts it; says how to get it when there is none. */
export function findTool(name: "h2spec" | "h2specd"): string | undefined {
  const folders = (process.env.PATH ?? "").split(":");
  folders.push(join(process.env.GOPATH ?? join(homedir(), "go"), "bin"));
  const found = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (found === undefined) {
    console.error(`${name} is not installed: go install github.com/summerwind/h2spec/cmd/${name}@latest`);
  }
  return found;
}
