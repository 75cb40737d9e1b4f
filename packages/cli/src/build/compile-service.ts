import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import type { BuiltFile } from "./bundle-service.ts";

/** Temporary configuration of the compiler. */
const settingsFile = ".tercel-build.json";

/**
 * Compiles and type checks each TypeScript file with the project's compiler. Packages stay in node_modules. Files that the code finds by
 * its own location, such as migrations, are copied next to it.
 *
 * @throws CommandFailure when TypeScript is not installed, or the service does not compile
 */
export function compileService(folder: string, out: string): readonly BuiltFile[] {
  const compiler = findCompiler(folder);
  const settings = join(folder, settingsFile);
  writeFileSync(
    settings,
    JSON.stringify({
      extends: existsSync(join(folder, "tsconfig.json")) ? "./tsconfig.json" : [],
      compilerOptions: {
        noEmit: false,
        outDir: out,
        rootDir: ".",
        rewriteRelativeImportExtensions: true,
        sourceMap: true,
        declaration: false,
        incremental: false,
        composite: false,
      },
      include: ["src", "gen"],
    }),
  );
  try {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [compiler, "-p", settingsFile, "--pretty", "false"],
      {
        cwd: folder,
        encoding: "utf8",
      },
    );
    if (status !== 0) {
      const lines = `${stdout}${stderr}`.trim().split("\n");
      const [first = "the service does not compile", ...others] = lines;
      throw new CommandFailure(exitCodes.invalidInput, first, { lines: others });
    }
  } finally {
    rmSync(settings, { force: true });
  }
  const migrations = join(folder, "migrations");
  if (existsSync(migrations)) cpSync(migrations, join(out, "migrations"), { recursive: true });
  return globSync("**/*.js", { cwd: out }).map((path) => ({
    path: join(out, path).slice(folder.length + 1),
    bytes: statSync(join(out, path)).size,
  }));
}

function findCompiler(folder: string): string {
  const require = createRequire(join(folder, "package.json"));
  try {
    return join(require.resolve("typescript/package.json"), "../bin/tsc");
  } catch {
    throw new CommandFailure(exitCodes.failed, "typescript is not installed; it compiles the service", {
      hint: "npm install -D typescript",
    });
  }
}
