import { PassThrough } from "node:stream";
import type { Command, Option } from "commander";
import { Output } from "../src/frame/output.ts";
import { createProgram } from "../src/program.ts";

/** Returns the page docs/reference/cli.md, generated from the commands' help. */
export function commandReference(): string {
  const program = createProgram({
    stdin: new PassThrough(),
    stdout: new Output(new PassThrough()),
    stderr: new Output(new PassThrough()),
    env: {},
    cwd: "",
    signal: new AbortController().signal,
  });
  const commands = program.commands.filter((command) => !command.name().startsWith("_"));
  const list = commands.map(
    (command) => `| [\`${command.name()}\`](#tercel-${command.name()}) | ${cell(command.summary())} |`,
  );
  return [
    "# Command line reference",
    "",
    "This page lists all commands and options of `tercel`. `packages/cli/README.md` is the introduction.",
    "",
    "The page is generated from the help of the commands: `UPDATE_GOLDEN=1 npm test -- reference` writes it.",
    "",
    "| command | |",
    "|---|---|",
    ...list,
    "",
    ...commands.flatMap(commandSection),
    exitCodeSection,
  ].join("\n");
}

/** A command, and after it those that it consists of. */
function commandSection(command: Command): string[] {
  const { registeredArguments: operands } = command;
  const isPart = command.parent?.parent != null;
  const name = isPart ? `${command.parent?.name()} ${command.name()}` : command.name();
  const groups = new Map<string, Option[]>();
  for (const option of command.options) {
    const group = option.helpGroupHeading ?? "";
    groups.set(group, [...(groups.get(group) ?? []), option]);
  }
  return [
    `${isPart ? "###" : "##"} tercel ${name}`,
    "",
    command.description(),
    "",
    "```text",
    `tercel ${name} ${command.usage()}`,
    "```",
    "",
    ...(operands.length === 0
      ? []
      : [
          "| argument | |",
          "|---|---|",
          ...operands.map(
            (one) =>
              `| \`${one.required ? one.name() : `[${one.name()}]`}\` | ${cell(withChoices(one.description, one.argChoices))} |`,
          ),
          "",
        ]),
    ...[...groups].flatMap(([group, options]) => [
      `| ${group === "" ? "option" : cell(group.replace(/:$/, ""))} | |`,
      "|---|---|",
      ...options.map((option) => `| \`${option.flags}\` | ${cell(describeOption(option))} |`),
      "",
    ]),
    ...command.commands.flatMap(commandSection),
  ];
}

function describeOption(option: Option): string {
  const { description, argChoices, defaultValue } = option;
  const isShown = typeof defaultValue === "string" || typeof defaultValue === "number";
  return `${withChoices(description, argChoices)}${isShown ? `. Default: \`${defaultValue}\`` : ""}`;
}

function withChoices(description: string, choices: readonly string[] | undefined): string {
  return choices === undefined ? description : `${description}: ${choices.map((choice) => `\`${choice}\``).join(", ")}`;
}

/** A bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}

const exitCodeSection = `## Exit codes

The meaning of these codes never changes, so scripts can rely on them.

| code | meaning |
|---|---|
| 0 | success |
| 1 | any other failure |
| 2 | invalid command line |
| 3 | a check failed: unhealthy, a violated rule, an exceeded limit |
| 4 | invalid \`.proto\` file, configuration or message |
| 5 | not found |
| 6 | timeout |
| 7 | no connection |
| 8 | generated files are out of date |
| 64 + n | the call failed with gRPC status n: 67 is INVALID_ARGUMENT, 69 NOT_FOUND, 78 UNAVAILABLE |
| 130 | interrupted by Ctrl-C |
| 143 | terminated by SIGTERM |

With \`-o json\` or \`-o ndjson\`, the last line of standard error of a failed command is \`{"version": 1, "error": {"message": …, "exitCode": …}}\`. For a failed
call, \`error\` also has \`status\`, \`details\` and \`explanation\`.
`;
