import { parseArgs } from "node:util";
import { nearestName } from "@tercel/grpc/internal";
import { parseOptions, UsageError } from "../options.ts";

export interface PublishOptions {
  /** Begin no case that would end later. Default: without limit. */
  readonly minutes?: number;
  /** Measure nothing: write the pages from what was published last. */
  readonly isRenderOnly: boolean;
}

const OPTIONS = { minutes: { type: "string" }, render: { type: "boolean" } } as const;
const NAMES = Object.keys(OPTIONS);

/**
 * Reads `[--minutes N] [--render]`.
 *
 * @throws UsageError for anything else, with the nearest option
 */
export function readPublishOptions(args: readonly string[]): PublishOptions {
  const { values, tokens, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    strict: false,
    tokens: true,
    options: OPTIONS,
  });
  for (const token of tokens) {
    if (token.kind !== "option" || NAMES.includes(token.name)) continue;
    const nearest = nearestName(token.name, NAMES);
    const hint = nearest === undefined ? "" : ` The nearest is --${nearest}.`;
    throw new UsageError(`Unknown option ${token.rawName} of publish.${hint} All are --${NAMES.join(", --")}.`);
  }
  if (positionals.length > 0)
    throw new UsageError(`publish measures every case of its recipe, not "${positionals[0]}".`);
  const known = { cases: ["all"], peers: [] };
  const { minutes } = parseOptions(values.minutes === undefined ? [] : [`--minutes=${values.minutes}`], known);
  return { isRenderOnly: values.render === true, ...(minutes !== undefined && { minutes }) };
}
