import type { EndpointChild } from "./endpoint-children.ts";
import type { BalancerFactory, Picker } from "./index.ts";
import { createReadyEndpointsBalancer, describeFull, resultsOf, resultWithPlace } from "./ready-endpoints.ts";

/**
 * Every endpoint that is ready takes a call in turn. The first one is chosen at random: many clients that learn of the same
 * endpoints at once would otherwise all begin with the same server.
 */
export function createRoundRobin(options: { readonly random?: () => number } = {}): BalancerFactory {
  const random = options.random ?? Math.random;
  return {
    policyName: "round_robin",
    create: (host) =>
      createReadyEndpointsBalancer(host, { createPicker: (ready) => createRoundRobinPicker(ready, random) }),
  };
}

function createRoundRobinPicker(ready: readonly EndpointChild[], random: () => number): Picker {
  const results = resultsOf(ready);
  let next = Math.floor(random() * results.length);
  return {
    dependsOnCall: false,
    pick() {
      const start = next;
      next = start + 1 === results.length ? 0 : start + 1;
      return resultWithPlace(results, start);
    },
    describe: () => describeFull(results),
  };
}
