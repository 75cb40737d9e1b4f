import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ConfigEntry, LoadedConfig } from "@tercel/service/config";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { type OutputFormat, printListing } from "../frame/output-format.ts";
import { suggestNearest, withSuggestion } from "../frame/suggestion.ts";
import { loadProjectConfig } from "./load-project-config.ts";
import type { SourceOptions } from "./source-options.ts";

export interface ShowOptions extends SourceOptions {
  readonly output: OutputFormat;
}

export type DiffOptions = ShowOptions;

/** `tercel config show` */
export async function showConfig(options: ShowOptions, context: CommandContext): Promise<void> {
  const { entries } = await loadProjectConfig(options, context);
  await printEntries(entries, options.output, context);
}

/** `tercel config explain` */
export async function explainConfig(key: string, options: ShowOptions, context: CommandContext): Promise<void> {
  const { entries } = await loadProjectConfig(options, context);
  const found = entries.filter(({ path }) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`));
  if (found.length === 0) throw unknownKey(key, entries);
  for (const { path, value, origin, isLive } of found) {
    const { stdout } = context;
    await stdout.line(`${stdout.style("bold", path)}: ${JSON.stringify(value)}`);
    await stdout.line(`  from ${origin === "default" ? "the default" : origin}`);
    await stdout.line(`  ${isLive ? "a change takes effect without a restart" : "a change needs a restart"}`);
  }
}

/** `tercel config validate` */
export async function validateConfig(options: ShowOptions, context: CommandContext): Promise<void> {
  const loaded = await loadProjectConfig(options, context);
  for (const warning of loaded.warnings)
    await context.stderr.line(`${context.stderr.style("yellow", "warning:")} ${warning}`);
  const set = loaded.entries.filter(({ origin }) => origin !== "default").length;
  await context.stderr.line(
    `valid: ${loaded.entries.length} values, ${set} of them set, for ${loaded.environment.name}`,
  );
}

/** `tercel config schema` */
export async function printSchema(context: CommandContext): Promise<void> {
  await context.stdout.write(`${readFileSync(schemaFile(), "utf8").trimEnd()}\n`);
}

/** Returns the schema next to the bundle; in the repository, that of its package. */
function schemaFile(): string {
  const bundled = fileURLToPath(new URL("config.schema.json", import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL("../../../service/config.schema.json", import.meta.url));
}

interface Difference {
  readonly path: string;
  readonly from: ConfigEntry | undefined;
  readonly to: ConfigEntry | undefined;
}

/** `tercel config diff` */
export async function diffConfig(
  from: string,
  to: string,
  options: DiffOptions,
  context: CommandContext,
): Promise<void> {
  const [before, after] = [
    await loadProjectConfig({ ...options, env: from }, context),
    await loadProjectConfig({ ...options, env: to }, context),
  ];
  await printListing(context, options.output, {
    name: "differences",
    rows: differences(before, after),
    header: ["KEY", from, to],
    cells: (one) => [one.path, shownValue(one.from), shownValue(one.to)],
    json: (one) => ({ key: one.path, from: one.from?.value ?? null, to: one.to?.value ?? null }),
    nameOf: ({ path }) => path,
  });
}

/** Returns the keys that differ. Secrets are masked, so they are compared by their source. */
function differences(before: LoadedConfig<unknown>, after: LoadedConfig<unknown>): Difference[] {
  const [earlier, later] = [byPath(before), byPath(after)];
  return [...new Set([...later.keys(), ...earlier.keys()])].flatMap((path) => {
    const [from, to] = [earlier.get(path), later.get(path)];
    const isMasked = from?.value === masked && to?.value === masked;
    const isSame = from?.value === to?.value && (!isMasked || from?.origin === to?.origin);
    return isSame ? [] : [{ path, from, to }];
  });
}

const masked = "•••";

function byPath({ entries }: LoadedConfig<unknown>): ReadonlyMap<string, ConfigEntry> {
  return new Map(entries.map((entry) => [entry.path, entry]));
}

function shownValue(entry: ConfigEntry | undefined): string {
  return entry === undefined ? "-" : String(entry.value);
}

function printEntries(entries: readonly ConfigEntry[], format: OutputFormat, context: CommandContext): Promise<void> {
  return printListing(context, format, {
    name: "values",
    rows: entries,
    header: ["KEY", "VALUE", "FROM"],
    cells: ({ path, value, origin }) => [path, String(value), origin],
    json: ({ path, value, origin, isLive }) => ({ key: path, value, origin, isLive }),
    nameOf: ({ path }) => path,
  });
}

function unknownKey(key: string, entries: readonly ConfigEntry[]): CommandFailure {
  const suggestion = suggestNearest(
    key,
    entries.map(({ path }) => path),
  );
  const hint = suggestion === undefined ? "tercel config show lists all keys" : undefined;
  const what = `unknown configuration key ${JSON.stringify(key)}`;
  return new CommandFailure(exitCodes.notFound, withSuggestion(what, suggestion), { hint });
}
