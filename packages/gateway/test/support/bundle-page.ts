import { execFileSync } from "node:child_process";
import { join } from "node:path";

const esbuild = join(import.meta.dirname, "..", "..", "..", "..", "node_modules", ".bin", "esbuild");

/** Bundles browser-page.ts for a browser. Fails if it imports a module that browsers do not have. */
export function bundlePage(): string {
  const options = ["--bundle", "--format=iife", "--platform=browser", "--target=chrome120", "--log-level=error"];
  // Bundles the TypeScript sources that the tests run.
  return execFileSync(esbuild, [join(import.meta.dirname, "browser-page.ts"), ...options, "--conditions=source"], {
    ...{ encoding: "utf8", maxBuffer: 64 * 1024 * 1024, stdio: ["ignore", "pipe", "inherit"] },
  });
}
