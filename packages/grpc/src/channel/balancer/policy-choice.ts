import type { JsonValue } from "@bufbuild/protobuf";
import type { BalancerFactory } from "./index.ts";

/** A policy and what its `parseConfig` made of its config. */
export interface PolicyChoice {
  readonly factory: BalancerFactory;
  readonly config?: unknown;
}

/**
 * Reads a list of `{ policyName: config }` as `loadBalancingConfig` and `childPolicy` hold it and chooses the first policy that
 * is known.
 *
 * @throws TypeError that begins with `where` if the list is malformed, if no policy of it is known, or if the chosen one
 * refuses its config
 */
export type ChoosePolicy = (where: string, list: JsonValue | undefined) => PolicyChoice;
