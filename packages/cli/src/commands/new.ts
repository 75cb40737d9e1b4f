import { type Command, Option } from "commander";
import type { CommandContext } from "../frame/context.ts";
import type { NewOptions } from "../new/new-options.ts";
import { type Concern, choices } from "../new/plan/service-plan.ts";

const descriptions: Readonly<Record<Concern, string>> = {
  database: "where data is kept",
  cache: "where messages are cached",
  events: "how events travel",
  auth: "how callers show who they are",
  monitoring: "where metrics or traces go",
  discovery: "how services find each other",
};

export function addNewCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("new")
    .summary("make a new service, library or workspace")
    .description(
      "Makes a gRPC service that runs: its contract, handlers, store, configuration and tests. On a terminal it asks for what no option says, and prints the command line that does the same; elsewhere, and with --yes, the first value of each option is used.",
    )
    .argument("[name]", "name of the service, such as user-service; every other name derives from it")
    .addOption(
      new Option("--type <type>", "what to make: a service, or a package with a contract and a client")
        .choices(["grpc", "library"])
        .default("grpc"),
    );
  for (const [concern, description] of Object.entries(descriptions)) {
    command.addOption(new Option(`--with-${concern} <type>`, description).choices(choices[concern as Concern]));
  }
  command
    .option(
      "--gateway",
      "serve REST (google.api.http), Connect and gRPC-Web on the same port, with a page of documentation",
    )
    .option("--no-gateway", "serve gRPC alone")
    .option("--workspace", "make a repository for several services; tercel new in it makes them")
    .option("--port <port>", "port of gRPC (default: the first from 50051 that no service in a folder next to it has)")
    .option("--dir <folder>", "where to write it (default: a folder with the name of the service)")
    .addOption(
      new Option("--pm <program>", "package manager (default: the one that runs this, else npm)").choices([
        "npm",
        "pnpm",
        "yarn",
        "bun",
      ]),
    )
    .option("--no-install", "do not install packages")
    .option("--no-git", "do not make a Git repository")
    .option("--dry-run", "print the names of the files and write nothing")
    .option("-y, --yes", "ask nothing")
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
