import { join, relative, resolve } from "node:path";
import { hasBuf } from "../buf/run-buf.ts";
import { checkNode } from "../doctor/check-project.ts";
import { type CommandContext, isInteractive } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";
import { generate } from "../generate/generate.ts";
import { ownVersion } from "../version.ts";
import { callingManager } from "./calling-manager.ts";
import type { NewOptions } from "./new-options.ts";
import { createRepository, installPackages } from "./project-programs.ts";
import { readWorkspace } from "./read-workspace.ts";
import { renderProject } from "./render-project.ts";
import { serviceNames } from "./service-names.ts";
import { type Choices, choices, concerns, equalCommand, type ServicePlan } from "./service-plan.ts";
import { choosePorts } from "./service-ports.ts";
import { servicesFolder } from "./workspace-plan.ts";
import { requireEmpty, writeProject } from "./write-project.ts";

/** `tercel new` */
export async function newService(
  given: string | undefined,
  options: NewOptions,
  context: CommandContext,
  nodeVersion = process.version,
): Promise<void> {
  const node = checkNode(nodeVersion);
  if (node.outcome === "failure") {
    throw new CommandFailure(exitCodes.failed, `Node ${node.text}`, { hint: node.fix });
  }
  const asks = isInteractive(context) && options.yes !== true;
  const name = given ?? (await nameFromPrompt(asks, context));
  if (options.workspace === true) {
    const { newWorkspace } = await import("./new-workspace.ts");
    return newWorkspace(name, options, context);
  }
  const names = serviceNames(name);
  const workspace = readWorkspace(context.cwd);
  const folder = resolve(context.cwd, options.dir ?? (workspace === undefined ? name : join(servicesFolder, name)));
  const shown = relative(context.cwd, folder) || ".";
  requireEmpty(folder, shown);
  const chosen = await completeChoices(options, asks, context);
  const plan: ServicePlan = {
    type: "grpc",
    names,
    with: chosen,
    version: ownVersion(),
    hasGateway: options.gateway === true,
    ports: choosePorts(folder, chosen.discovery === "embedded", readPort(options.port)),
  };
  const files = renderProject(plan);
  if (options.dryRun === true) {
    for (const path of files.keys()) await context.stdout.line(path);
    return;
  }
  writeProject(folder, files);
  const { stderr } = context;
  await stderr.line(`created ${shown}: ${files.size} files`);
  await stderr.line(`the same again: ${equalCommand(plan)}`);
  const manager = options.pm ?? workspace?.manager ?? callingManager(context);
  // Before the packages: their scripts may look for the repository.
  if (options.git) await createRepository(folder, context);
  // A workspace installs the packages of all services together.
  if (options.install) await installPackages(manager, workspace === undefined ? folder : context.cwd, context);
  const canGenerate = hasBuf(folder, context);
  if (canGenerate) await generate(folder, {}, context);
  await stderr.write(nextSteps(plan, { shown, manager, isInstalled: options.install, isGenerated: canGenerate }));
}

async function nameFromPrompt(asks: boolean, context: CommandContext): Promise<string> {
  if (!asks) throw usageFailure("no name was given", "tercel new user-service");
  const { askName } = await import("./ask-choices.ts");
  return askName(context);
}

async function completeChoices(options: NewOptions, asks: boolean, context: CommandContext): Promise<Choices> {
  const flagged = Object.fromEntries(
    concerns.flatMap((concern) => {
      const type = options[`with${concern[0]?.toUpperCase()}${concern.slice(1)}` as keyof NewOptions];
      return type === undefined ? [] : [[concern, type]];
    }),
  ) as Partial<Choices>;
  const defaults = Object.fromEntries(concerns.map((concern) => [concern, choices[concern][0]])) as unknown as Choices;
  if (!asks) return { ...defaults, ...flagged };
  const { askChoices } = await import("./ask-choices.ts");
  return { ...defaults, ...(await askChoices(flagged, context)) };
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^[1-9]\d{0,4}$/.test(text) && port < 65_536) return port;
  throw usageFailure(`invalid --port ${JSON.stringify(text)}: write a number from 1 to 65535`);
}

interface ProjectState {
  /** The folder, as the caller would write it. */
  readonly shown: string;
  readonly manager: string;
  readonly isInstalled: boolean;
  readonly isGenerated: boolean;
}

function nextSteps({ names, with: { auth } }: ServicePlan, state: ProjectState): string {
  const { snake, pascal, second } = names;
  const { shown, manager, isInstalled, isGenerated } = state;
  const data = second === "email" ? "-d name=Ada -d email=ada@example.com" : "-d name=first";
  const call = `npx tercel call ${snake}.v1.${pascal}Service/Create${pascal} ${data}`;
  const steps = [
    shown !== "." && `cd ${shown}`,
    !isInstalled && `${manager} install`,
    !isGenerated && `${manager} run generate`,
    `${manager} run test`,
    `${manager} run start`,
    auth === "jwt" ? "# then call it with a token: README.md" : `${call}    # in another terminal`,
  ];
  return `next:\n${steps.map((step) => (step === false ? "" : `  ${step}\n`)).join("")}`;
}
