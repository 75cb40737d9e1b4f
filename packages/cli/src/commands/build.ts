import type { Command } from "commander";
import type { BuildOptions } from "../build/run-build.ts";
import type { CommandContext } from "../frame/context.ts";

export function addBuildCommand(program: Command, context: CommandContext): void {
  program
    .command("build")
    .summary("build a service for production")
    .description(
      "Bundles the service in this folder and its packages into a few files that need no node_modules, with the project's esbuild. In production, config/ and migrations/ must be next to dist/.",
    )
    .option("--out <folder>", "output folder, inside the service's folder; emptied first", "dist")
    .option("--no-bundle", "compile each TypeScript file to JavaScript instead; packages stay in node_modules")
    .action(async (options: BuildOptions) => {
      const { buildService } = await import("../build/run-build.ts");
      await buildService(options, context);
    });
}
