import { parseArgs } from "node:util";
import { nearestName } from "@tercel/grpc/internal";

/** The task of a service's program. */
export type ProgramTask = "serve" | "check-config" | "migrate" | "health";

export interface ProgramArguments {
  readonly task: ProgramTask;
  /** `--config FILE`. */
  readonly file?: string;
  /** Each `--set key=value`, in order. */
  readonly set: readonly string[];
}

const options = {
  config: { type: "string" },
  set: { type: "string", multiple: true },
  "check-config": { type: "boolean" },
  migrate: { type: "boolean" },
  health: { type: "boolean" },
} as const;

const tasks = ["check-config", "migrate", "health"] as const satisfies readonly (keyof typeof options & ProgramTask)[];

/**
 * Parses the arguments of a service's program.
 *
 * @throws TypeError for an unknown argument, with the nearest one, and for several tasks
 */
export function parseProgramArguments(args: readonly string[]): ProgramArguments {
  const { values, tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === "option" && !Object.hasOwn(options, token.name)) throw unknownArgument(token.rawName);
    if (token.kind === "positional") throw unknownArgument(token.value);
  }
  const { config, set = [] } = values;
  for (const value of [config, ...set]) {
    if (value !== undefined && typeof value !== "string")
      throw new TypeError("missing value of --config or --set, such as --set service.port=0");
  }
  const asked = tasks.filter((task) => values[task] === true);
  if (asked.length > 1) throw new TypeError(`--${asked.join(" and --")} cannot be combined`);
  return {
    task: asked[0] ?? "serve",
    ...(typeof config === "string" && { file: config }),
    set: set.filter((one) => typeof one === "string"),
  };
}

function unknownArgument(argument: string): TypeError {
  const known = Object.keys(options).map((name) => `--${name}`);
  const nearest = nearestName(argument, known);
  const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  return new TypeError(`unknown argument ${JSON.stringify(argument)}${hint} Known: ${known.join(", ")}`);
}
