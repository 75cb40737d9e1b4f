import { type CommandContext, isInteractive } from "../frame/context.ts";
import { usageFailure } from "../frame/failure.ts";
import { ownVersion } from "../version.ts";
import { choosePorts } from "./choose-ports.ts";
import { findPlace, makeProject, printNextSteps } from "./make-project.ts";
import { newLibrary } from "./new-library.ts";
import type { NewOptions } from "./new-options.ts";
import { newWorkspace } from "./new-workspace.ts";
import { serviceNames } from "./plan/service-names.ts";
import { type Choices, choices, concerns, equalCommand, type ServicePlan } from "./plan/service-plan.ts";
import { servicesFolder } from "./plan/workspace-plan.ts";
import { optionOf } from "./refuse-service-options.ts";

/** `tercel new` */
export async function newProject(
  given: string | undefined,
  options: NewOptions,
  context: CommandContext,
): Promise<void> {
  const asks = isInteractive(context) && options.yes !== true;
  const name = given ?? (await nameFromPrompt(asks, context));
  if (options.workspace === true) return newWorkspace(name, options, context);
  if (options.type === "library") return newLibrary(name, options, context);
  return newService(name, options, asks, context);
}

async function newService(name: string, options: NewOptions, asks: boolean, context: CommandContext): Promise<void> {
  const names = serviceNames(name);
  const place = findPlace(name, servicesFolder, options, context);
  const chosen = await completeChoices(options, asks, context);
  const plan: ServicePlan = {
    type: "grpc",
    names,
    with: chosen,
    version: ownVersion(),
    hasGateway: await chooseGateway(options, asks, context),
    ports: choosePorts(place.folder, chosen.discovery === "embedded", readPort(options.port)),
  };
  const made = await makeProject(plan, place, equalCommand(plan), options, context);
  if (made !== undefined) await printNextSteps(made, firstSteps(plan, made.manager), context);
}

async function nameFromPrompt(asks: boolean, context: CommandContext): Promise<string> {
  if (!asks) throw usageFailure("missing name", "tercel new user-service");
  const { askName } = await import("./ask-choices.ts");
  return askName(context);
}

async function completeChoices(options: NewOptions, asks: boolean, context: CommandContext): Promise<Choices> {
  const flagged = Object.fromEntries(
    concerns.flatMap((concern) => {
      const type = options[optionOf(concern)];
      return type === undefined ? [] : [[concern, type]];
    }),
  ) as Partial<Choices>;
  const defaults = Object.fromEntries(concerns.map((concern) => [concern, choices[concern][0]])) as unknown as Choices;
  if (!asks) return { ...defaults, ...flagged };
  const { askChoices } = await import("./ask-choices.ts");
  return { ...defaults, ...(await askChoices(flagged, context)) };
}

async function chooseGateway(options: NewOptions, asks: boolean, context: CommandContext): Promise<boolean> {
  if (options.gateway !== undefined || !asks) return options.gateway === true;
  const { askGateway } = await import("./ask-choices.ts");
  return askGateway(context);
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^[1-9]\d{0,4}$/.test(text) && port < 65_536) return port;
  throw usageFailure(`invalid --port ${JSON.stringify(text)}: expected a number from 1 to 65535`);
}

/** Returns the steps from the tests to the first call. */
function firstSteps({ names, with: { auth } }: ServicePlan, manager: string): string[] {
  const { snake, pascal, second } = names;
  const data = second === "email" ? "-d name=Ada -d email=ada@example.com" : "-d name=first";
  const call = `npx tercel call ${snake}.v1.${pascal}Service/Create${pascal} ${data}`;
  return [
    `${manager} run test`,
    `${manager} run start`,
    auth === "jwt" ? "# then call it with a token: README.md" : `${call}    # in another terminal`,
  ];
}
