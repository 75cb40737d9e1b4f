import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { type OutputFormat, printListing } from "../frame/output-format.ts";
import type { TargetOptions } from "../target/target-options.ts";
import { checkNode, checkPackages, checkProtos, projectFolder } from "./check-project.ts";
import { checkRecord } from "./check-record.ts";
import { checkServer } from "./check-server.ts";
import type { Finding } from "./finding.ts";

export interface DoctorOptions extends TargetOptions {
  readonly fix?: boolean;
  readonly output: OutputFormat;
}

/** `tercel doctor` */
export async function runDoctor(options: DoctorOptions, context: CommandContext): Promise<void> {
  const folder = projectFolder(context.cwd);
  const hasServer = options.target !== undefined || context.env.TERCEL_TARGET !== undefined;
  const findings: Finding[] = [
    checkNode(process.version),
    ...checkPackages(folder),
    ...checkRecord(folder),
    ...(await checkProtos(folder, options.fix === true, context)),
    ...(hasServer ? await checkServer(options, context) : []),
  ];
  const { stdout } = context;
  const marks = {
    ok: stdout.style("green", "ok"),
    warning: stdout.style("yellow", "warning"),
    failure: stdout.style("red", "failure"),
  };
  await printListing(context, options.output, {
    name: "findings",
    rows: findings,
    header: ["CHECK", "OUTCOME", "FOUND"],
    cells: ({ check, outcome, text, fix }) => [check, marks[outcome], fix === undefined ? text : `${text}: ${fix}`],
    json: (finding) => ({ ...finding }),
    nameOf: ({ check }) => check,
  });
  const failures = findings.filter(({ outcome }) => outcome === "failure");
  if (failures.length > 0) {
    throw new CommandFailure(exitCodes.partial, `failed checks: ${failures.map(({ check }) => check).join(", ")}`);
  }
}
