import { type Command, Option } from "commander";
import type { CommandContext } from "../frame/context.ts";
import type { NewOptions } from "../new/new-options.ts";
import { type Concern, choices } from "../new/plan/service-plan.ts";

const descriptions: Readonly<Record<Concern, string>> = {
  database: "where data is stored",
  cache: "where messages are cached",
  events: "how events travel",
  auth: "how callers authenticate",
  monitoring: "where metrics or traces are exported",
  discovery: "how services find each other",
};

export function addNewCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("new")
    .summary("create a service, library or workspace")
    .description(
      "Creates a gRPC service that runs: contract, handlers, store, configuration and tests. On a terminal it prompts for what the options leave open, and prints the equivalent command line; elsewhere, and with --yes, it uses the first value of each option.",
    )
    .argument("[name]", "name of the service, such as user-service; all other names derive from it")
    .addOption(
      new Option("--type <type>", "what to create: a service, or a package with a contract and a client")
        .choices(["grpc", "library"])
        .default("grpc"),
    );
  for (const [concern, description] of Object.entries(descriptions)) {
    command.addOption(new Option(`--with-${concern} <type>`, description).choices(choices[concern as Concern]));
  }
  command
    .option(
      "--gateway",
      "also serve REST (google.api.http), Connect and gRPC-Web on the same port, with API documentation",
    )
    .option("--no-gateway", "serve gRPC only")
    .option("--workspace", "create a repository for several services; tercel new adds them there")
    .option("--port <port>", "gRPC port (default: the first from 50051 that no service in a sibling folder uses)")
    .option("--dir <folder>", "output folder (default: a folder named after the service)")
    .addOption(
      new Option("--pm <program>", "package manager (default: the one that runs this command, else npm)").choices([
        "npm",
        "pnpm",
        "yarn",
        "bun",
      ]),
    )
    .option("--no-install", "do not install packages")
    .option("--no-git", "do not create a Git repository")
    .option("--dry-run", "print the names of the files and write nothing")
    .option("-y, --yes", "do not prompt")
    .addHelpText(
      "after",
      `
Examples:
  tercel new user-service
  tercel new user-service --type=grpc --with-database=postgres --with-monitoring=prometheus`,
    )
    .action(async (name: string | undefined, options: NewOptions) => {
      const { newProject } = await import("../new/new-project.ts");
      await newProject(name, options, context);
    });
}
