import { relative, resolve } from "node:path";
import { hasBuf } from "../buf/run-buf.ts";
import { checkNode } from "../doctor/check-project.ts";
import { type CommandContext, isInteractive } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";
import { generate } from "../generate/generate.ts";
import { ownVersion } from "../version.ts";
import { createRepository, installPackages } from "./project-programs.ts";
import { renderProject } from "./render-project.ts";
import { serviceNames } from "./service-names.ts";
import { type Choices, type Concern, choices, concerns, equalCommand, type ServicePlan } from "./service-plan.ts";
import { requireEmpty, writeProject } from "./write-project.ts";

/** The options of the command line, as commander names them. */
export type NewOptions = { readonly [C in Concern as `with${Capitalize<C>}`]?: Choices[C] } & {
  readonly dir?: string;
  readonly pm?: string;
  readonly install: boolean;
  readonly git: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
};

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
  const names = serviceNames(name);
  const folder = resolve(context.cwd, options.dir ?? name);
  const shown = relative(context.cwd, folder) || ".";
  requireEmpty(folder, shown);
  const plan = { names, with: await completeChoices(options, asks, context), version: ownVersion() };
  const files = renderProject(plan);
  if (options.dryRun === true) {
    for (const path of files.keys()) await context.stdout.line(path);
    return;
  }
  writeProject(folder, files);
  const { stderr } = context;
  await stderr.line(`created ${shown}: ${files.size} files`);
  await stderr.line(`the same again: ${equalCommand(name, plan.with)}`);
  const manager = packageManager(options, context);
  // Before the packages: their scripts may look for the repository.
  if (options.git) await createRepository(folder, context);
  if (options.install) await installPackages(manager, folder, context);
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

/** The one that was asked for, else the one that has started this program. */
function packageManager({ pm }: NewOptions, { env }: CommandContext): string {
  return pm ?? /^(npm|pnpm|yarn|bun)\//.exec(env.npm_config_user_agent ?? "")?.[1] ?? "npm";
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
