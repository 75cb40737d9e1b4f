import type { Command } from "commander";
import type { DoctorOptions } from "../doctor/run-doctor.ts";
import type { CommandContext } from "../frame/context.ts";
import { addOutputOption } from "../frame/output-format.ts";
import { addTargetOptions } from "../target/target-options.ts";

export function addDoctorCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("doctor")
    .summary("diagnose a project or a server")
    .description(
      "Checks Node, the installed packages, tercel.yaml, buf, the generated code and, with --target or $TERCEL_TARGET, a server, and suggests a fix for each finding. Exits with code 3 when a check fails.",
    )
    .option("--fix", "fix what needs no decision: generated files");
  addOutputOption(command, ["table", "json", "ndjson"]);
  addTargetOptions(command);
  command.action(async (options: DoctorOptions) => {
    const { runDoctor } = await import("../doctor/run-doctor.ts");
    await runDoctor(options, context);
  });
}
