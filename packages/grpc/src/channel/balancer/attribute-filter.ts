import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { refuseUnknownOptions } from "../../options/check-options.ts";
import type { Endpoint } from "../resolver/index.ts";
import type { ConnectivityState } from "../subchannel/connectivity.ts";
import { ConfigFields, isJsonObject } from "./config-fields.ts";
import { deriveHost } from "./derive-host.ts";
import { endpointText } from "./endpoint-attributes.ts";
import { GracefulSwitch } from "./graceful-switch.ts";
import type { Balancer, BalancerFactory, BalancerHost, BalancerUpdate, Picker } from "./index.ts";
import { createUnavailablePicker } from "./pickers.ts";
import type { ChoosePolicy, PolicyChoice } from "./policy-choice.ts";

const policyName = "tercel_attribute_filter";

/** Attribute names with the values of which an endpoint has to have one. */
type Wanted = ReadonlyMap<string, readonly string[]>;

interface AttributeFilterConfig {
  readonly require: Wanted;
  readonly prefer: Wanted;
  readonly child: PolicyChoice;
}

/**
 * Chooses endpoints by what the resolver says of them, such as version, zone or an entry of their metadata, and leaves to
 * another policy which of those takes a call.
 *
 * ```json
 * { "tercel_attribute_filter": {
 *     "require": { "version": "v2" }, "prefer": { "zone": ["a", "b"] }, "childPolicy": [{ "round_robin": {} }] } }
 * ```
 *
 * Calls go to no endpoint that lacks something of `require`; if none is left they fail and say so. Among the rest they go to
 * those that have all of `prefer` until none of these can be reached, then to the others until one of them can again. Only
 * `childPolicy` is required.
 */
export function createAttributeFilter(choose: ChoosePolicy): BalancerFactory {
  return {
    policyName,
    parseConfig: (json): AttributeFilterConfig => {
      refuseUnknownOptions(policyName, json, ["require", "prefer", "childPolicy"]);
      const fields = new ConfigFields(policyName, json);
      return {
        require: readWanted(fields, "require"),
        prefer: readWanted(fields, "prefer"),
        child: choose(`${policyName}: childPolicy`, fields.raw("childPolicy")),
      };
    },
    create: (host) => new AttributeFilter(host),
  };
}

function readWanted(fields: ConfigFields, name: string): Wanted {
  const given = fields.raw(name) ?? {};
  if (!isJsonObject(given)) throw fields.wrong(name, "an object of attribute names and values");
  const wanted = new Map<string, readonly string[]>();
  for (const [attribute, value] of Object.entries(given as JsonObject)) {
    const values = (Array.isArray(value) ? value : [value]) as JsonValue[];
    if (values.length === 0 || values.some((one) => typeof one !== "string")) {
      throw fields.wrong(
        name,
        `an object whose values are a text or a list of texts, which that of "${attribute}" is not`,
      );
    }
    wanted.set(attribute, values as string[]);
  }
  return wanted;
}

function hasAll(endpoint: Endpoint, wanted: Wanted): boolean {
  for (const [name, values] of wanted) {
    const value = endpointText(endpoint, name);
    if (value === undefined || !values.includes(value)) return false;
  }
  return true;
}

/** `version "v2" and zone "a" or "b"` */
function describeWanted(wanted: Wanted): string {
  return [...wanted]
    .map(([name, values]) => `${name} ${values.map((value) => JSON.stringify(value)).join(" or ")}`)
    .join(" and ");
}

/**
 * ```text
 *              preferred ones fail           preferred ones are ready
 *   preferred ───────────────────► both ──────────────────────────────► preferred
 * ```
 * In `both` the others take the calls while the preferred ones try to come back.
 */
class AttributeFilter implements Balancer {
  readonly #host: BalancerHost;
  readonly #preferred: Group;
  #others: Group | undefined;
  #otherEndpoints: readonly Endpoint[] = [];
  #choice: PolicyChoice | undefined;
  #isClosed = false;

  constructor(host: BalancerHost) {
    this.#host = host;
    this.#preferred = new Group(host, () => this.#onPreferredState());
  }

  update({ endpoints, config }: BalancerUpdate): boolean {
    if (config === undefined) {
      this.#fail(`${policyName} needs a config with a childPolicy`);
      return endpoints.length > 0;
    }
    const { require, prefer, child } = config as AttributeFilterConfig;
    const allowed = endpoints.filter((endpoint) => hasAll(endpoint, require));
    if (allowed.length === 0 && endpoints.length > 0) {
      this.#dropOthers();
      this.#preferred.close();
      this.#failForWantOf(require, endpoints.length);
      return false;
    }
    const preferred = allowed.filter((endpoint) => hasAll(endpoint, prefer));
    // Where nothing is as preferred, all are as good.
    const isSplit = preferred.length > 0 && preferred.length < allowed.length;
    this.#choice = child;
    this.#otherEndpoints = isSplit ? allowed.filter((endpoint) => !preferred.includes(endpoint)) : [];
    if (!isSplit) this.#dropOthers();
    const isUsable = this.#preferred.update(child, isSplit ? preferred : allowed);
    if (!this.#isClosed) this.#others?.update(child, this.#otherEndpoints);
    return isUsable;
  }

  onResolverError(error: ConnectError): void {
    this.#preferred.onResolverError(error);
  }

  exitIdle(): void {
    this.#preferred.exitIdle();
    this.#others?.exitIdle();
  }

  close(): void {
    this.#isClosed = true;
    this.#preferred.close();
    this.#dropOthers();
  }

  #onPreferredState(): void {
    const { state } = this.#preferred;
    if (state === "transient_failure" && this.#choice !== undefined && this.#otherEndpoints.length > 0) {
      if (this.#others === undefined) {
        const others = new Group(this.#host, () => this.#report());
        this.#others = others;
        others.update(this.#choice, this.#otherEndpoints);
        return;
      }
    }
    this.#report();
    // After the report, so that no call finds neither.
    if (state === "ready" || state === "idle") this.#dropOthers();
  }

  #report(): void {
    const isPreferredUsable = this.#preferred.state === "ready" || this.#preferred.state === "idle";
    const group = isPreferredUsable ? this.#preferred : (this.#others ?? this.#preferred);
    if (group.picker !== undefined) this.#host.updateState(group.state, group.picker);
  }

  #dropOthers(): void {
    this.#others?.close();
    this.#others = undefined;
  }

  #fail(reason: string): void {
    this.#host.updateState(
      "transient_failure",
      createUnavailablePicker(this.#host.targetText, () => reason),
    );
  }

  #failForWantOf(require: Wanted, count: number): void {
    const reason = `none of ${count} ${count === 1 ? "endpoint" : "endpoints"} has ${describeWanted(require)}`;
    this.#fail(reason);
  }
}

/** The endpoints that are preferred, or the others, under a policy of their own. */
class Group {
  readonly #policy: GracefulSwitch;
  state: ConnectivityState = "connecting";
  picker: Picker | undefined;

  constructor(host: BalancerHost, onState: () => void) {
    this.#policy = new GracefulSwitch(
      deriveHost(host, {
        updateState: (state, picker) => {
          this.state = state;
          this.picker = picker;
          onState();
        },
      }),
    );
  }

  update(choice: PolicyChoice, endpoints: readonly Endpoint[]): boolean {
    return this.#policy.update(choice, { endpoints });
  }

  onResolverError(error: ConnectError): void {
    this.#policy.onResolverError(error);
  }

  exitIdle(): void {
    this.#policy.exitIdle();
  }

  /** Gives up its endpoints; an update brings them back. */
  close(): void {
    this.#policy.close();
    this.state = "connecting";
    this.picker = undefined;
  }
}
