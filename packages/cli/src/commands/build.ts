import type { Command } from "commander";
import type { BuildOptions } from "../build/run-build.ts";
import type { CommandContext } from "../frame/context.ts";

export function addBuildCommand(program: Command, context: CommandContext): void {
  program
    .command("build")
    .summary("make what runs in production")
    .description(
      "Rolls the service in this folder and its packages into few files that need no node_modules, with the project's esbuild. Where it runs, config/ and migrations/ lie next to dist/.",
    )
    .option("--out <folder>", "folder for the files, in that of the service; it is emptied first", "dist")
    .option("--no-bundle", "write a file of JavaScript for each of TypeScript instead; packages stay in node_modules")
    .action(async (options: BuildOptions) => {
      const { buildService } = await import("../build/run-build.ts");
      await buildService(options, context);
    });
}
