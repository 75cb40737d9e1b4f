import { rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { buildSync } from "esbuild";
import { buildPackages } from "../../../tools/packages/build-packages.ts";
import { stagePackage } from "../../../tools/packages/pack-packages.ts";
import { publicPackages } from "../../../tools/workspace-packages.ts";
import { BUILD_FOLDER, ROOT_FOLDER } from "../paths.ts";
import { runCommand } from "../process/command.ts";

/** A service, started as users start it. */
export interface StartedProgram {
  readonly name: string;
  readonly folder: string;
  readonly command: readonly [string, ...string[]];
}

const folder = join(BUILD_FOLDER, "kit");
const generated = "user-service";

/**
 * Creates the smallest service on the published form of the packages, and the bundle of a service of `tercel new` with SQLite. Other dependencies
 * are found in a parent folder.
 */
export async function preparePrograms(): Promise<readonly StartedProgram[]> {
  buildPackages(ROOT_FOLDER);
  rmSync(folder, { recursive: true, force: true });
  for (const one of publicPackages(ROOT_FOLDER)) {
    stagePackage(ROOT_FOLDER, one, join(folder, "node_modules", one.name));
  }
  // As JavaScript, because the time to strip types does not belong to Tercel.
  buildSync({
    entryPoints: [join(ROOT_FOLDER, "examples/service/server.ts")],
    outfile: join(folder, "hello.js"),
    bundle: true,
    packages: "external",
    format: "esm",
    platform: "node",
  });
  await tercel(["new", generated, "--yes", "--no-install", "--no-git"], folder);
  await tercel(["build"], join(folder, generated));
  const anyPort = ["--set", "service.port=0"];
  return [
    { name: "hello", folder, command: [process.execPath, "hello.js", ...anyPort] },
    {
      name: "generated",
      folder: join(folder, generated),
      command: [
        process.execPath,
        "dist/main.js",
        ...anyPort,
        "--set",
        "monitoring.providers.prometheus.endpoint=127.0.0.1:0",
      ],
    },
  ];
}

/** Runs the command line of this repository with its buf. */
async function tercel(words: readonly string[], cwd: string): Promise<void> {
  const path = [join(ROOT_FOLDER, "node_modules/.bin"), process.env.PATH].join(delimiter);
  const main = join(ROOT_FOLDER, "packages/cli/src/main.ts");
  await runCommand(["env", `PATH=${path}`, process.execPath, "--conditions=source", main, ...words], { cwd });
}
