import { Command, Help, type Option } from "commander";
import { addAddCommand } from "./commands/add.ts";
import { addBenchCommand } from "./commands/bench.ts";
import { addBreakingCommand } from "./commands/breaking.ts";
import { addBuildCommand } from "./commands/build.ts";
import { addCallCommand } from "./commands/call.ts";
import { addCompleteCommand } from "./commands/complete.ts";
import { addCompletionCommand } from "./commands/completion.ts";
import { addConfigCommand } from "./commands/config.ts";
import { addDbCommand } from "./commands/db.ts";
import { addDeployCommand } from "./commands/deploy.ts";
import { addDescribeCommand } from "./commands/describe.ts";
import { addDevCommand } from "./commands/dev.ts";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addGenerateCommand } from "./commands/generate.ts";
import { addHealthCommand } from "./commands/health.ts";
import { addLintCommand } from "./commands/lint.ts";
import { addListCommand } from "./commands/list.ts";
import { addNewCommand } from "./commands/new.ts";
import { addTokenCommand } from "./commands/token.ts";
import { addUpgradeCommand } from "./commands/upgrade.ts";
import { addWaitCommand } from "./commands/wait.ts";
import type { CommandContext } from "./frame/context.ts";
import { ownVersion } from "./version.ts";

/** Creates the command line. A command holds its texts and options; its implementation is loaded when it runs. */
export function createProgram(context: CommandContext): Command {
  const program = new Command("tercel")
    .description("Creates, runs, calls, measures and deploys gRPC services")
    .version(ownVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print help for a command")
    .usage("<command> [options]")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      // The caller prints the error, as text or as JSON.
      writeErr: () => {},
      getOutHelpWidth: () => Math.min(context.stdout.columns, 110),
      getOutHasColors: () => context.stdout.isTerminal,
    })
    .configureHelp({
      styleTitle: (title) => context.stdout.style("bold", title),
      subcommandTerm: (command) => command.name(),
      optionDescription,
    })
    .addHelpText(
      "after",
      "\nRun tercel <command> --help for the options of a command. Exit codes: docs/reference/cli.md.",
    );

  program.commandsGroup("Start:");
  addNewCommand(program, context);
  addDevCommand(program, context);
  addAddCommand(program, context);
  addUpgradeCommand(program, context);
  program.commandsGroup("Call a server:");
  addCallCommand(program, context);
  addListCommand(program, context);
  addDescribeCommand(program, context);
  addHealthCommand(program, context);
  addWaitCommand(program, context);
  addBenchCommand(program, context);
  program.commandsGroup("Work on .proto files:");
  addGenerateCommand(program, context);
  addLintCommand(program, context);
  addBreakingCommand(program, context);
  program.commandsGroup("Deploy:");
  addBuildCommand(program, context);
  addDeployCommand(program, context);
  program.commandsGroup("Configure:");
  addConfigCommand(program, context);
  addDbCommand(program, context);
  addTokenCommand(program, context);
  addDoctorCommand(program, context);
  addCompletionCommand(program, context);
  addCompleteCommand(program, context);
  return program;
}

/** Returns the description of an option without the default value of a list, which is always empty. */
function optionDescription(this: Help, option: Option): string {
  const isEmptyList = Array.isArray(option.defaultValue) && option.defaultValue.length === 0;
  return isEmptyList ? option.description : Help.prototype.optionDescription.call(this, option);
}
