import { type Command, Option } from "commander";
import type { CommandContext } from "../frame/context.ts";
import type { GenerateOptions } from "../generate/generate.ts";

export function addGenerateCommand(program: Command, context: CommandContext): void {
  program
    .command("generate")
    .summary("generate TypeScript from .proto files")
    .description(
      "Compiles the .proto files of buf.yaml and generates code with the plugins of buf.gen.yaml; without that file, TypeScript in gen/. Tercel's options, google.* and validate.* can be imported without a dependency.",
    )
    .argument("[folder]", "folder with buf.gen.yaml (default: the current one)")
    .option("--check", "write nothing; exit with code 8 when a file is out of date")
    .addOption(
      new Option(
        "--stubs",
        "write a handler for each method without one, into the object of router.service() or a new file",
      ).conflicts("check"),
    )
    .addOption(new Option("--watch", "generate again after each change, until Ctrl-C").conflicts("check"))
    .option("--descriptor-out <file>", "also write the compiled files as a FileDescriptorSet")
    .addOption(
      new Option(
        "--descriptor-in <file>",
        "read compiled files from a FileDescriptorSet instead of compiling; needs no buf",
      ).conflicts("watch"),
    )
    .action(async (folder: string | undefined, options: GenerateOptions) => {
      const { generate } = await import("../generate/generate.ts");
      await generate(folder ?? ".", { ...options, asks: true }, context);
    });
}
