import type { Command, Option } from "commander";
import type { CommandContext } from "../frame/context.ts";
import { completeAssignment } from "../json/complete-assignment.ts";
import { findMethod } from "../schema/find-method.ts";
import type { Schema } from "../schema/schema.ts";
import type { SchemaOptions } from "../schema/schema-options.ts";
import { withSchema } from "../schema/with-schema.ts";
import type { TargetOptions } from "../target/target-options.ts";

/** Limits the wait for a server, so that pressing Tab does not hang. */
const serverTimeoutMs = 1000;
/** Matches names that are safe to complete: bash expands candidates, so it would run a name such as `$(…)`. */
const isHarmless = /^[\w./=]*$/;
/** Commands whose first argument is a service, or a method of one. */
const argumentKinds: Readonly<Record<string, "method" | "service" | "symbol">> = {
  bench: "method",
  call: "method",
  describe: "symbol",
  health: "service",
  list: "service",
  wait: "service",
};

/** Returns the words that complete the last one of a command line. Never fails: unknown values complete to nothing. */
export async function completeWords(
  program: Command,
  words: readonly string[],
  context: CommandContext,
): Promise<string[]> {
  const current = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const [name, ...rest] = before;
  const command = program.commands.find((one) => one.name() === name);
  // A command with subcommands, such as config.
  if (command !== undefined && command.commands.length > 0) return completeWords(command, [...rest, current], context);
  if (command === undefined) {
    const names = visibleCommands(program);
    return startingWith(
      current,
      before.length === 0 ? names : before[0] === "help" && before.length === 1 ? names : [],
    );
  }
  const given = parseLine(command, rest);
  if (given.open !== undefined)
    return startingWith(current, await valuesOf(given.open, current, command, given, context));
  if (current.startsWith("-")) {
    const flags = command.options
      .filter((option) => !option.hidden)
      .flatMap(({ long }) => (long == null ? [] : [long]));
    return startingWith(current, [...flags, "--help"]);
  }
  if (given.operands.length > 0) return [];
  const choices = command.registeredArguments[0]?.argChoices;
  if (choices !== undefined) return startingWith(current, choices);
  const kind = argumentKinds[command.name()];
  if (kind === undefined) return [];
  return askSchema(given, context, (schema, signal) => symbolsFor(kind, current, schema, signal));
}

function visibleCommands(program: Command): string[] {
  return [...program.commands.map((one) => one.name()).filter((name) => !name.startsWith("_")), "help"];
}

function startingWith(start: string, words: readonly string[]): string[] {
  return words.filter((word) => word.startsWith(start)).sort();
}

interface ParsedLine {
  readonly operands: readonly string[];
  /** By the option's attribute, such as `target`. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** The option whose value is being typed. */
  readonly open: Option | undefined;
}

/** Parses an unfinished line, which commander's parser would reject. */
function parseLine(command: Command, words: readonly string[]): ParsedLine {
  const operands: string[] = [];
  const values = new Map<string, string[]>();
  let open: Option | undefined;
  for (const word of words) {
    if (open !== undefined) {
      values.set(open.attributeName(), [...(values.get(open.attributeName()) ?? []), word]);
      open = undefined;
      continue;
    }
    const [flag = "", inline] = word.startsWith("--") ? word.split(/=(.*)/s) : [word];
    const option = command.options.find(({ short, long }) => flag !== "" && (flag === short || flag === long));
    if (option === undefined) {
      if (!word.startsWith("-")) operands.push(word);
    } else if (inline !== undefined) values.set(option.attributeName(), [inline]);
    else if (option.required) open = option;
    else values.set(option.attributeName(), ["true"]);
  }
  return { operands, values, open };
}

/** Returns the values of an option; none for files, which the shell completes itself. */
async function valuesOf(
  option: Option,
  current: string,
  command: Command,
  given: ParsedLine,
  context: CommandContext,
): Promise<string[]> {
  if (option.argChoices !== undefined) return option.argChoices;
  const [methodText] = given.operands;
  if (option.attributeName() !== "data" || methodText === undefined || argumentKinds[command.name()] !== "method")
    return [];
  return askSchema(given, context, async (schema, signal) => {
    const { method } = await findMethod(schema, methodText, signal);
    return completeAssignment(method.input, current, given.values.get("data"));
  });
}

async function symbolsFor(
  kind: "method" | "service" | "symbol",
  current: string,
  schema: Schema,
  signal: AbortSignal,
): Promise<string[]> {
  const slash = current.indexOf("/");
  if (kind !== "service" && slash > 0) {
    const serviceName = current.slice(0, slash);
    const service = (await schema.findSymbol(serviceName, signal))?.getService(serviceName);
    return startingWith(
      current,
      (service?.methods ?? []).map(({ name }) => `${serviceName}/${name}`),
    );
  }
  const services = await schema.listServices(signal);
  return startingWith(current, kind === "method" ? services.map((name) => `${name}/`) : services);
}

async function askSchema(
  { values }: ParsedLine,
  context: CommandContext,
  ask: (schema: Schema, signal: AbortSignal) => Promise<string[]>,
): Promise<string[]> {
  const options = {
    header: values.get("header") ?? [],
    proto: values.get("proto") ?? [],
    importPath: values.get("importPath") ?? [],
    ...Object.fromEntries(
      ["target", "authority", "tlsCa", "tlsCert", "tlsKey", "descriptorSet"].flatMap((name) => {
        const value = values.get(name)?.at(-1);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    ...(values.has("tls") && { tls: true }),
    ...(values.has("tlsSkipVerify") && { tlsSkipVerify: true }),
  } as TargetOptions & SchemaOptions;
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(serverTimeoutMs)]);
  try {
    const words = await withSchema(options, { ...context, signal }, (schema) => ask(schema, signal));
    return words.filter((word) => isHarmless.test(word));
  } catch {
    return [];
  }
}
