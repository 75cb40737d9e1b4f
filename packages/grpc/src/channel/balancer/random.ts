import type { EndpointChild } from "./endpoint-children.ts";
import type { BalancerFactory, Picker } from "./index.ts";
import { createReadyEndpointsBalancer, describeFull, resultsOf, resultWithPlace } from "./ready-endpoints.ts";

/** Each call goes to an endpoint chosen at random from those that are ready, all with the same chance. */
export function createRandom(options: { readonly random?: () => number } = {}): BalancerFactory {
  const random = options.random ?? Math.random;
  return {
    policyName: "random",
    create: (host) =>
      createReadyEndpointsBalancer(host, { createPicker: (ready) => createRandomPicker(ready, random) }),
  };
}

function createRandomPicker(ready: readonly EndpointChild[], random: () => number): Picker {
  const results = resultsOf(ready);
  return {
    dependsOnCall: false,
    pick: () => resultWithPlace(results, Math.floor(random() * results.length)),
    describe: () => describeFull(results),
  };
}
