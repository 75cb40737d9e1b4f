import type { ConnectError } from "@connectrpc/connect";
import { formatAddress } from "../naming/address-text.ts";
import type { Endpoint } from "../resolver/index.ts";
import { ConfigFields } from "./config-fields.ts";
import { GracefulSwitch } from "./graceful-switch.ts";
import type { Balancer, BalancerFactory, BalancerHost, BalancerUpdate } from "./index.ts";
import { createUnavailablePicker } from "./pickers.ts";
import type { ChoosePolicy, PolicyChoice } from "./policy-choice.ts";
import { compareHashes, type Hash64, xxh64OfText } from "./xxh64.ts";

interface RandomSubsettingConfig {
  readonly subsetSize: number;
  readonly child: PolicyChoice;
}

/**
 * Lets another policy see only some endpoints, other ones in each channel: where thousands of clients and servers meet, not
 * every client would have to connect to every server (gRFC A68). When a server comes or goes, a channel changes at most one of its own.
 *
 * Config: `subsetSize`, at least 1, and `childPolicy`, a list as in `loadBalancingConfig`; both required.
 */
export function createRandomSubsetting(
  choose: ChoosePolicy,
  options: { readonly random?: () => number } = {},
): BalancerFactory {
  const random = options.random ?? Math.random;
  return {
    policyName: "random_subsetting",
    parseConfig: (json): RandomSubsettingConfig => {
      const fields = new ConfigFields("random_subsetting", json);
      return {
        subsetSize: fields.wholeNumber("subsetSize", 1, 0xffff_ffff, 0) || missing(fields, "subsetSize"),
        child: choose("random_subsetting: childPolicy", fields.raw("childPolicy")),
      };
    },
    create: (host) => new RandomSubsetting(host, random),
  };
}

function missing(fields: ConfigFields, name: string): never {
  throw fields.wrong(name, "there, and at least 1");
}

class RandomSubsetting implements Balancer {
  readonly #host: BalancerHost;
  readonly #child: GracefulSwitch;
  readonly #seed: Hash64;

  constructor(host: BalancerHost, random: () => number) {
    this.#host = host;
    this.#child = new GracefulSwitch(host);
    this.#seed = { high: Math.floor(random() * 0x1_0000_0000), low: Math.floor(random() * 0x1_0000_0000) };
  }

  update({ endpoints, config }: BalancerUpdate): boolean {
    if (config === undefined) {
      const describe = (): string => "random_subsetting needs a config with a subsetSize";
      this.#host.updateState("transient_failure", createUnavailablePicker(this.#host.targetText, describe));
      return endpoints.length > 0;
    }
    const { subsetSize, child } = config as RandomSubsettingConfig;
    return this.#child.update(child, { endpoints: chooseSubset(endpoints, subsetSize, this.#seed) });
  }

  onResolverError(error: ConnectError): void {
    this.#child.onResolverError(error);
  }

  exitIdle(): void {
    this.#child.exitIdle();
  }

  close(): void {
    this.#child.close();
  }
}

/** Those whose first addresses hash lowest (rendezvous hashing): what becomes of the others does not move them. */
function chooseSubset(endpoints: readonly Endpoint[], size: number, seed: Hash64): readonly Endpoint[] {
  if (endpoints.length <= size) return endpoints;
  return endpoints
    .map((endpoint) => {
      const hashed = { high: 0, low: 0, endpoint };
      xxh64OfText(formatAddress(endpoint.addresses[0] ?? { path: "" }), hashed, seed);
      return hashed;
    })
    .sort(compareHashes)
    .slice(0, size)
    .map(({ endpoint }) => endpoint);
}
