import { ConfigFields } from "./config-fields.ts";
import type { EndpointChild } from "./endpoint-children.ts";
import type { BalancerFactory, CallTracker, Picker } from "./index.ts";
import {
  createReadyEndpointsBalancer,
  describeFull,
  type ReadyPolicy,
  resultsOf,
  resultWithPlace,
} from "./ready-endpoints.ts";

interface LeastRequestConfig {
  readonly choiceCount: number;
}

const defaultConfig: LeastRequestConfig = { choiceCount: 2 };

/** More choices would not spread calls better and cost time in every pick (gRFC A48). */
const maxChoiceCount = 10;

/**
 * Draws some endpoints at random and takes the one with the fewest calls open (gRFC A48). Its config has one field,
 * `choiceCount`: how many it draws, 2 by default and at most 10. Fewer than 2 are refused, more than 10 count as 10.
 */
export function createLeastRequest(options: { readonly random?: () => number } = {}): BalancerFactory {
  return {
    policyName: "least_request",
    parseConfig: (json): LeastRequestConfig => {
      const fields = new ConfigFields("least_request", json);
      const given = fields.wholeNumber("choiceCount", 2, 0xffff_ffff, defaultConfig.choiceCount);
      return { choiceCount: Math.min(given, maxChoiceCount) };
    },
    create: (host) => createReadyEndpointsBalancer(host, new LeastRequest(options.random ?? Math.random)),
  };
}

/** The calls that an endpoint has open. They outlive pickers and connections, as the calls do. */
class OpenCalls implements CallTracker {
  count = 0;

  onStart(): void {
    this.count += 1;
  }

  onEnd(): void {
    this.count -= 1;
  }
}

class LeastRequest implements ReadyPolicy {
  readonly #random: () => number;
  readonly #openCalls = new WeakMap<EndpointChild, OpenCalls>();
  #config = defaultConfig;

  constructor(random: () => number) {
    this.#random = random;
  }

  configure(config: unknown): void {
    this.#config = (config as LeastRequestConfig | undefined) ?? defaultConfig;
  }

  createPicker(ready: readonly EndpointChild[]): Picker {
    const openCalls = ready.map((child) => this.#openCallsOf(child));
    const results = resultsOf(ready, (child) => this.#openCallsOf(child));
    const { choiceCount } = this.#config;
    const random = this.#random;
    return {
      dependsOnCall: false,
      pick() {
        let best = Math.floor(random() * results.length);
        for (let i = 1; i < choiceCount; i += 1) {
          const other = Math.floor(random() * results.length);
          if ((openCalls[other] as OpenCalls).count < (openCalls[best] as OpenCalls).count) best = other;
        }
        return resultWithPlace(results, best);
      },
      describe: () => describeFull(results),
    };
  }

  #openCallsOf(child: EndpointChild): OpenCalls {
    let openCalls = this.#openCalls.get(child);
    if (openCalls === undefined) {
      openCalls = new OpenCalls();
      this.#openCalls.set(child, openCalls);
    }
    return openCalls;
  }
}
