import { readFileSync, rmSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { findServices } from "../dev/find-services.ts";
import type { CommandContext } from "../frame/context.ts";
import { formatDuration } from "../frame/duration.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";
import { type BuiltFile, bundleService } from "./bundle-service.ts";
import { compileService } from "./compile-service.ts";

/** The options of the command line, as commander names them. */
export interface BuildOptions {
  readonly bundle: boolean;
  readonly out: string;
}

/** `tercel build` */
export async function buildService(options: BuildOptions, context: CommandContext): Promise<void> {
  const folder = resolve(context.cwd);
  const [project, other] = findServices(folder);
  if (project === undefined || other !== undefined || project.folder !== folder) {
    throw new CommandFailure(
      exitCodes.notFound,
      "no single service in this folder: run tercel build in the folder of a service",
    );
  }
  const out = resolve(folder, options.out);
  if (!out.startsWith(folder + sep) || dirname(out) !== folder) {
    // Files that the code finds by its own location, such as migrations, must keep their relative path from src/.
    throw usageFailure(
      `invalid --out ${JSON.stringify(options.out)}: expected the name of a folder inside the service's folder`,
    );
  }
  const startedAtMs = performance.now();
  rmSync(out, { recursive: true, force: true });
  const { stderr } = context;
  if (options.bundle) {
    const { files, sources, missing } = await bundleService(folder, project.main, out);
    await reportFiles(files, join(options.out, "main.js"), startedAtMs, context);
    for (const path of sources.filter((source) => readsBesideItself(folder, source))) {
      await stderr.line(
        `${stderr.style("yellow", "warning:")} ${path} finds files by its own location, which differs in the bundle: move it into src/, or use --no-bundle`,
      );
    }
    if (missing.length > 0)
      await stderr.line(`not bundled, because these optional packages are not installed: ${missing.join(", ")}`);
  } else {
    const files = compileService(folder, out);
    const main = join(options.out, relative(folder, project.main)).replace(/\.ts$/, ".js");
    await reportFiles(files, main, startedAtMs, context);
  }
}

async function reportFiles(
  files: readonly BuiltFile[],
  main: string,
  startedAtMs: number,
  { stdout, stderr }: CommandContext,
): Promise<void> {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const count = files.length === 1 ? "1 file" : `${files.length} files`;
  await stderr.line(
    `${count}, ${(bytes / 1e6).toFixed(2)} MB (${formatDuration(performance.now() - startedAtMs)}); to start it:`,
  );
  await stdout.line(`node ${main}`);
}

/** Whether a source below a subfolder of src/ uses `import.meta` to find files. */
function readsBesideItself(folder: string, source: string): boolean {
  // One folder deep, as the bundle is.
  if (/^[^/]+\/[^/]+$/.test(source)) return false;
  return /import\.meta\.(?:dirname|filename|url)/.test(readFileSync(join(folder, source), "utf8"));
}
