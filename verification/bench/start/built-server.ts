import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildSync } from "esbuild";
import { installedFolder, installTercel } from "../import/install-tercel.ts";
import { BUILD_FOLDER, NODE_PEERS_FOLDER, TERCEL_FOLDER } from "../paths.ts";
import { type Subject, TERCEL } from "../subjects.ts";

/** The environment without caches and settings of this machine, as at a user's first start. */
const clean = ["env", "-u", "NODE_COMPILE_CACHE", "-u", "NODE_OPTIONS"] as const;

let isTercelInstalled = false;

/**
 * Returns the command line of a subject's server in the form in which users start it. Node programs are one JavaScript file that imports
 * installed packages, and Tercel has its published form. Other servers are unchanged.
 */
export function builtServer(subject: Subject): readonly string[] {
  if (subject.name === TERCEL.name) {
    if (!isTercelInstalled) installTercel();
    isTercelInstalled = true;
    return bundled(join(TERCEL_FOLDER, "server.ts"), installedFolder);
  }
  if (!subject.server.includes(process.execPath)) return subject.server;
  const folder = join(BUILD_FOLDER, "start", subject.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  symlinkSync(join(NODE_PEERS_FOLDER, "node_modules"), join(folder, "node_modules"));
  return bundled(join(NODE_PEERS_FOLDER, subject.name, "server.ts"), folder);
}

/** Compiles a server and its own files, without packages, to one file in the folder. */
function bundled(source: string, folder: string): readonly string[] {
  const outfile = join(folder, "server.mjs");
  buildSync({
    entryPoints: [source],
    outfile,
    bundle: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node22.18",
    // grpc-js's server loads its .proto file from there.
    define: { "import.meta.url": JSON.stringify(pathToFileURL(source).href) },
  });
  return [...clean, process.execPath, outfile];
}
