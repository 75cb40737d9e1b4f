import { confirm, isCancel, select, text } from "@clack/prompts";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { serviceNames } from "./plan/service-names.ts";
import { type Choices, type Concern, choices, concerns } from "./plan/service-plan.ts";

const questions: Readonly<Record<Concern, string>> = {
  database: "Which database?",
  cache: "Where are messages cached?",
  events: "How do events travel?",
  auth: "How do callers show who they are?",
  monitoring: "Where do metrics or traces go?",
  discovery: "How do services find each other?",
};

const hints: Readonly<Record<string, string>> = {
  sqlite: "a file; nothing to install",
  memory: "in the process; nothing to install",
  embedded: "one service hosts the registry, for this machine",
  prometheus: "metrics at /metrics",
  otlp: "traces, to an OpenTelemetry collector",
  jwt: "tokens of an issuer",
};

/** Asks for the name of the service. */
export async function askName(context: CommandContext): Promise<string> {
  const answer = await text({
    ...streamsOf(context),
    message: "What is the service called?",
    placeholder: "user-service",
    validate(name = "") {
      try {
        serviceNames(name);
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    },
  });
  return answered(answer);
}

/** Asks for what was not chosen on the command line. */
export async function askChoices(chosen: Partial<Choices>, context: CommandContext): Promise<Partial<Choices>> {
  const all: Partial<Record<Concern, string>> = { ...chosen };
  for (const concern of concerns) {
    if (all[concern] !== undefined) continue;
    all[concern] = await askChoice(concern, choices[concern], context);
  }
  return all as Partial<Choices>;
}

/** Asks whether browsers and REST clients are served as well. */
export async function askGateway(context: CommandContext): Promise<boolean> {
  const message = "Serve REST, Connect and gRPC-Web as well, on the same port?";
  return answered(await confirm({ ...streamsOf(context), message, initialValue: false }));
}

/** Asks for the type of one concern. */
export async function askChoice(concern: Concern, types: readonly string[], context: CommandContext): Promise<string> {
  const options = types.map((type) => ({
    value: type,
    label: type,
    ...(hints[type] !== undefined && { hint: hints[type] }),
  }));
  return answered(await select({ ...streamsOf(context), message: questions[concern], options }));
}

/** Prompts are not data: they go to standard error. */
function streamsOf({ stdin, stderr, signal }: CommandContext) {
  return { input: stdin, output: stderr.stream, signal };
}

function answered<Answer>(answer: Answer): Exclude<Answer, symbol> {
  if (isCancel(answer)) throw new CommandFailure(exitCodes.interrupted, "interrupted; nothing was written");
  return answer as Exclude<Answer, symbol>;
}
