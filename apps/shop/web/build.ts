// `npm run build:page` builds the page of the shop into `dist` next to this file, where user-service serves it. `npm start` does this if the page has changed.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const page = join(import.meta.dirname, "page");
const target = join(import.meta.dirname, "dist");

mkdirSync(target, { recursive: true });
// Each file is renamed into place when it is complete, because a service may read it, or another build write it, at the same time.
const draft = mkdtempSync(join(target, ".draft-"));
try {
  await build({
    entryPoints: ["main.ts", "style.css", "index.html"].map((name) => join(page, name)),
    outdir: draft,
    bundle: true,
    minify: true,
    sourcemap: true,
    format: "esm",
    target: "es2023",
    loader: { ".html": "copy" },
    // The sources of Tercel, as everything here runs them: nothing has to be built before.
    conditions: ["source"],
    logLevel: "warning",
  });
  for (const name of readdirSync(draft)) renameSync(join(draft, name), join(target, name));
} finally {
  rmSync(draft, { recursive: true });
}
