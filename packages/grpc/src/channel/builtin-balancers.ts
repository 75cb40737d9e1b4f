import type { BalancerFactory } from "./balancer/index.ts";
import { pickFirst } from "./balancer/pick-first.ts";

/** The policies that a service config may name without anybody's doing. */
export const builtinBalancers: readonly BalancerFactory[] = [pickFirst];
