import { join, resolve } from "node:path";
import { nearestName } from "@tercel/grpc/internal";
import { type RawSettings, type SettingEntry, settingTable } from "./setting-table.ts";
import { joinHostPort, type Settings } from "./settings.ts";

/** What the command line asked for: to run with settings, to see the help, or something that cannot be. */
export type SettingsRequest =
  | { readonly kind: "run"; readonly settings: Settings }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "refused"; readonly problem: string };

const names = Object.keys(settingTable) as (keyof Settings)[];
const entries: readonly SettingEntry<unknown>[] = Object.values(settingTable);
const flags = entries.map(({ flag }) => flag);
const variables = entries.map(({ variable }) => variable);

/** Reads settings from flags (`--user-port 7000` or `--user-port=7000`), then the environment, then the defaults. */
export function readSettings(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  workingDir: string,
): SettingsRequest {
  const given = new Map<string, string>();
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (arg === "--help" || arg === "-h") return { kind: "help", text: helpText() };
    if (!arg.startsWith("--")) return refused(`unexpected argument ${quote(arg)}; every setting is a flag, see --help`);
    const equals = arg.indexOf("=");
    const flag = arg.slice(2, equals === -1 ? undefined : equals);
    if (!flags.includes(flag)) return refused(unknownProblem("flag", "--", flag, flags));
    if (given.has(flag)) return refused(`--${flag} is given twice`);
    const value = equals === -1 ? args[++index] : arg.slice(equals + 1);
    // "--host --user-port 7000" is a forgotten value, not an interface called "--user-port".
    if (value === undefined || value === "" || value.startsWith("--")) return refused(`--${flag} needs a value`);
    given.set(flag, value);
  }
  for (const name of Object.keys(environment)) {
    // A misspelt variable would look as if it held.
    if (name.startsWith("SHOP_") && !variables.includes(name)) {
      return refused(unknownProblem("variable", "", name, variables));
    }
  }

  const raw: Record<string, unknown> = {};
  for (const name of names) {
    const { flag, variable, fallback, value }: SettingEntry<unknown> = settingTable[name];
    // An empty variable counts as unset, as in most shells' ${NAME:-default}.
    const text = given.get(flag) ?? (environment[variable] || fallback);
    const parsed = value.parse(text);
    const source = given.has(flag) ? `--${flag}` : variable;
    if (parsed === undefined) return refused(`${source} must be ${value.what}, not ${quote(text)}`);
    raw[name] = parsed;
  }
  return complete(raw as unknown as RawSettings, workingDir);
}

/** Fills in what depends on other settings, and refuses what does not go together. */
function complete(raw: RawSettings, workingDir: string): SettingsRequest {
  const { host, orderPort, registry, environment, jwksUrl, tokenIssuer } = raw;
  if ((jwksUrl === "") !== (tokenIssuer === "")) {
    return refused(`${waysToSet("jwksUrl")} and ${waysToSet("tokenIssuer")} go together: give both, or neither`);
  }
  if (environment === "production" && jwksUrl === "") {
    return refused(
      `in production tokens come from an issuer: give ${waysToSet("jwksUrl")} and ${waysToSet("tokenIssuer")}`,
    );
  }
  const dataDir = resolve(workingDir, raw.dataDir);
  const foundOrders = registry === "" ? joinHostPort(host, orderPort) : "discovery:///order-service";
  return {
    kind: "run",
    settings: {
      ...raw,
      dataDir,
      orderAddress: raw.orderAddress || foundOrders,
      reflection: (raw.reflection || (environment === "development" ? "on" : "off")) === "on",
      secretFile: raw.secretFile === "" ? join(dataDir, "secret.key") : resolve(workingDir, raw.secretFile),
      callerKeysFile: raw.callerKeysFile && resolve(workingDir, raw.callerKeysFile),
      serviceKeyFile: raw.serviceKeyFile && resolve(workingDir, raw.serviceKeyFile),
    },
  };
}

/** How to change a setting, for messages: "--user-port or SHOP_USER_PORT". */
export function waysToSet(name: keyof Settings): string {
  return `--${settingTable[name].flag} or ${settingTable[name].variable}`;
}

/** The command line that makes another program of the shop read these settings. */
export function settingsToArgs(settings: Settings): string[] {
  const written: Record<keyof Settings, unknown> = { ...settings, reflection: settings.reflection ? "on" : "off" };
  return names.filter((name) => written[name] !== "").map((name) => `--${settingTable[name].flag}=${written[name]}`);
}

function unknownProblem(kind: string, prefix: string, name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  const advice = nearest === undefined ? "see --help" : `did you mean ${prefix}${nearest}?`;
  return `unknown ${kind} ${quote(prefix + name)}; ${advice}`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function refused(problem: string): SettingsRequest {
  return { kind: "refused", problem };
}

function helpText(): string {
  const widest = Math.max(...flags.map((flag) => flag.length));
  const lines = entries.map(({ flag, variable, fallback, meaning }) => {
    const preset = fallback === "" ? "" : ` (default ${fallback})`;
    return `  --${flag.padEnd(widest)}  ${variable.padEnd(widest + 5)}  ${meaning}${preset}`;
  });
  return ["Settings, as a flag or in the environment; a flag wins:", ...lines].join("\n");
}
