import { execFileSync } from "node:child_process";
import { join } from "node:path";

const esbuild = join(import.meta.dirname, "..", "..", "..", "..", "node_modules", ".bin", "esbuild");

/** The code of browser-page.ts and all it imports, as a browser takes it. Fails where it needs a module that a browser does not have. */
export function bundlePage(): string {
  const options = ["--bundle", "--format=iife", "--platform=browser", "--target=chrome120", "--log-level=error"];
  // The sources, as the tests run them.
  return execFileSync(esbuild, [join(import.meta.dirname, "browser-page.ts"), ...options, "--conditions=source"], {
    ...{ encoding: "utf8", maxBuffer: 64 * 1024 * 1024, stdio: ["ignore", "pipe", "inherit"] },
  });
}
