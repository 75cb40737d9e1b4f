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
  auth: "How do callers authenticate?",
  monitoring: "Where are metrics or traces exported?",
  discovery: "How do services find each other?",
};

const hints: Readonly<Record<string, string>> = {
  sqlite: "a file; no server needed",
  memory: "in the process; no server needed",
  embedded: "one service hosts the registry of this machine",
  prometheus: "metrics at /metrics",
  otlp: "traces, to an OpenTelemetry collector",
  jwt: "tokens signed by an issuer",
};

/** Prompts for the name of the service. */
export async function askName(context: CommandContext): Promise<string> {
  const answer = await text({
    ...streamsOf(context),
    message: "What is the name of the service?",
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

/** Prompts for the choices that the command line does not contain. */
export async function askChoices(chosen: Partial<Choices>, context: CommandContext): Promise<Partial<Choices>> {
  const all: Partial<Record<Concern, string>> = { ...chosen };
  for (const concern of concerns) {
    if (all[concern] !== undefined) continue;
    all[concern] = await askChoice(concern, choices[concern], context);
  }
  return all as Partial<Choices>;
}

/** Prompts whether to serve browsers and REST clients too. */
export async function askGateway(context: CommandContext): Promise<boolean> {
  const message = "Also serve REST, Connect and gRPC-Web on the same port?";
  return answered(await confirm({ ...streamsOf(context), message, initialValue: false }));
}

/** Prompts for the type of one concern. */
export async function askChoice(concern: Concern, types: readonly string[], context: CommandContext): Promise<string> {
  const options = types.map((type) => ({
    value: type,
    label: type,
    ...(hints[type] !== undefined && { hint: hints[type] }),
  }));
  return answered(await select({ ...streamsOf(context), message: questions[concern], options }));
}

/** Returns the streams of a prompt: it writes to standard error, since it is not data. */
function streamsOf({ stdin, stderr, signal }: CommandContext) {
  return { input: stdin, output: stderr.stream, signal };
}

function answered<Answer>(answer: Answer): Exclude<Answer, symbol> {
  if (isCancel(answer)) throw new CommandFailure(exitCodes.interrupted, "interrupted; nothing was written");
  return answer as Exclude<Answer, symbol>;
}
