import { type Command, Option } from "commander";
import type { CommandContext } from "../frame/context.ts";
import type { GenerateOptions } from "../generate/generate.ts";

export function addGenerateCommand(program: Command, context: CommandContext): void {
  program
    .command("generate")
    .summary("generate TypeScript from .proto files")
    .description(
      "Compiles the .proto files of buf.yaml and writes the code that buf.gen.yaml asks for; without one, TypeScript into gen/. Options of Tercel, google.* and validate.* can be imported without a dependency.",
    )
    .argument("[folder]", "folder with buf.gen.yaml (default: this one)")
    .option("--check", "write nothing; exit with code 8 when a file is not up to date")
    .addOption(
      new Option(
        "--stubs",
        "write a handler for each method that has none, into the object of router.service(), or into a new file",
      ).conflicts("check"),
    )
    .addOption(new Option("--watch", "generate again after each change, until Ctrl-C").conflicts("check"))
    .option("--descriptor-out <file>", "write the compiled files as a FileDescriptorSet as well")
    .addOption(
      new Option("--descriptor-in <file>", "take compiled files instead of compiling; needs no buf").conflicts("watch"),
    )
    .action(async (folder: string | undefined, options: GenerateOptions) => {
      const { generate } = await import("../generate/generate.ts");
      await generate(folder ?? ".", { ...options, asks: true }, context);
    });
}
