import { resolve } from "node:path";
import { nearestName } from "./nearest-name.ts";

/** Settings of the shop's programs. A program that does not need a setting accepts it all the same. */
export interface Settings {
  /** Interface to listen on. The shop has no authentication, so it stays on this machine unless told otherwise. */
  readonly host: string;
  /** TCP port of user-service; 0 picks a free one. */
  readonly userPort: number;
  /** TCP port of order-service; 0 picks a free one. */
  readonly orderPort: number;
  /** Absolute path of the folder that holds the databases. */
  readonly dataDir: string;
  /** Where user-service finds order-service: by the registry, unless told otherwise. */
  readonly orderAddress: string;
  /** How many processes of order-service the supervisor runs. The first has the port above, others any free one. */
  readonly orderInstances: number;
  /** Where the registry listens. Empty: the supervisor hosts one; a service that runs alone does without. */
  readonly registry: string;
}

/** What the command line asked for: to run with settings, to see the help, or something that cannot be. */
export type SettingsRequest =
  | { readonly kind: "run"; readonly settings: Settings }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "refused"; readonly problem: string };

interface Option {
  readonly flag: string;
  readonly variable: string;
  readonly fallback: string;
  readonly meaning: string;
}

const options = {
  host: {
    flag: "host",
    variable: "SHOP_HOST",
    fallback: "127.0.0.1",
    meaning: "interface to listen on",
  },
  userPort: {
    flag: "user-port",
    variable: "SHOP_USER_PORT",
    fallback: "50051",
    meaning: "port of user-service, 0 picks a free one",
  },
  orderPort: {
    flag: "order-port",
    variable: "SHOP_ORDER_PORT",
    fallback: "50052",
    meaning: "port of order-service, 0 picks a free one",
  },
  dataDir: {
    flag: "data-dir",
    variable: "SHOP_DATA_DIR",
    fallback: "data/shop",
    meaning: "folder of the databases",
  },
  orderAddress: {
    flag: "order-address",
    variable: "SHOP_ORDER_ADDRESS",
    fallback: "",
    meaning: "where user-service finds order-service; by default what the registry tells",
  },
  orderInstances: {
    flag: "order-instances",
    variable: "SHOP_ORDER_INSTANCES",
    fallback: "2",
    meaning: "how many processes of order-service run, 1 to 9",
  },
  registry: {
    flag: "registry",
    variable: "SHOP_REGISTRY",
    fallback: "",
    meaning: "host:port of a registry that is there already; by default the shop hosts one",
  },
} satisfies Record<keyof Settings, Option>;

const flags = Object.values(options).map((option) => option.flag);

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
    if (!flags.includes(flag)) return refused(unknownFlagProblem(flag));
    if (given.has(flag)) return refused(`--${flag} is given twice`);
    const value = equals === -1 ? args[++index] : arg.slice(equals + 1);
    // "--host --user-port 7000" is a forgotten value, not an interface called "--user-port".
    if (value === undefined || value === "" || value.startsWith("--")) return refused(`--${flag} needs a value`);
    given.set(flag, value);
  }

  // An empty variable counts as unset, as in most shells' ${NAME:-default}.
  const text = (option: Option) => given.get(option.flag) ?? (environment[option.variable] || option.fallback);
  const source = (option: Option) => (given.has(option.flag) ? `--${option.flag}` : option.variable);

  const ports: Record<"userPort" | "orderPort", number> = { userPort: 0, orderPort: 0 };
  for (const name of ["userPort", "orderPort"] as const) {
    const port = parsePort(text(options[name]));
    if (port === undefined) {
      const found = quote(text(options[name]));
      return refused(`${source(options[name])} must be a port number from 0 to 65535, not ${found}`);
    }
    ports[name] = port;
  }
  const instances = text(options.orderInstances);
  if (!/^[1-9]$/.test(instances)) {
    return refused(`${source(options.orderInstances)} must be a number from 1 to 9, not ${quote(instances)}`);
  }
  const host = text(options.host);
  const registry = text(options.registry);
  return {
    kind: "run",
    settings: {
      host,
      ...ports,
      dataDir: resolve(workingDir, text(options.dataDir)),
      orderAddress:
        text(options.orderAddress) ||
        (registry === "" ? joinHostPort(host, ports.orderPort) : "discovery:///order-service"),
      orderInstances: Number(instances),
      registry,
    },
  };
}

/** How to change a setting, for messages: "--user-port or SHOP_USER_PORT". */
export function waysToSet(name: keyof Settings): string {
  return `--${options[name].flag} or ${options[name].variable}`;
}

/** The command line that makes another program of the shop read these settings. */
export function settingsToArgs(settings: Settings): string[] {
  return (Object.keys(options) as (keyof Settings)[])
    .filter((name) => settings[name] !== "")
    .map((name) => `--${options[name].flag}=${settings[name]}`);
}

/** "host:port", with brackets around an IPv6 address (RFC 3986 section 3.2.2). */
export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function parsePort(text: string): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

function unknownFlagProblem(flag: string): string {
  const nearest = nearestName(flag, flags);
  const advice = nearest === undefined ? "see --help" : `did you mean --${nearest}?`;
  return `unknown flag ${quote(`--${flag}`)}; ${advice}`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function refused(problem: string): SettingsRequest {
  return { kind: "refused", problem };
}

function helpText(): string {
  const lines = Object.values(options).map(({ flag, variable, fallback, meaning }) => {
    const preset = fallback === "" ? "" : ` (default ${fallback})`;
    return `  --${flag.padEnd(14)} ${variable.padEnd(19)} ${meaning}${preset}`;
  });
  return ["Settings, as a flag or in the environment; a flag wins:", ...lines].join("\n");
}
