import { systemClock } from "@tercel/grpc";
import { createPolicies, type Picker, type Subchannel, type SubchannelStateListener } from "@tercel/grpc/balancing";
import type { Address } from "@tercel/grpc/naming";

/** The picker of a policy with connected endpoints, without a network. */
export interface ConnectedPolicy {
  readonly picker: () => Picker;
  /** CPU time from the update of the endpoints until all are ready. */
  readonly connectMicros: number;
  close(): void;
}

/** The measured configs; `{}` for policies that need none. */
export const POLICY_CONFIGS = {
  pick_first: {},
  round_robin: {},
  random: {},
  least_request: {},
  weighted_round_robin: {},
  ring_hash: { requestHashHeader: "x-user" },
  outlier_detection: { failurePercentageEjection: {}, childPolicy: [{ round_robin: {} }] },
};

/** The picked calls: those of 64 users. */
export const benchCalls = Array.from({ length: 64 }, (_, at) => ({
  methodPath: "/a.B/C",
  header: new Headers({ "x-user": `user-${at}` }),
}));

export type PolicyName = keyof typeof POLICY_CONFIGS;

export async function connectPolicy(name: PolicyName, endpointCount: number): Promise<ConnectedPolicy> {
  const { factory, config } = createPolicies().choose("policy", [{ [name]: POLICY_CONFIGS[name] }]);
  let picker: Picker | undefined;
  const balancer = factory.create({
    targetText: "bench",
    clock: systemClock,
    createSubchannel: (address, onState) => new InstantSubchannel(address, onState),
    updateState: (_state, newPicker) => {
      picker = newPicker;
    },
    requestResolution() {},
  });
  const endpoints = Array.from({ length: endpointCount }, (_, at) => ({
    addresses: [{ host: `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, port: 443 }],
  }));
  const before = process.cpuUsage();
  balancer.update({ endpoints, config });
  await new Promise((resolve) => setImmediate(resolve));
  // Idle endpoints connect at the first call.
  for (const call of benchCalls) {
    picker?.pick(call);
    await Promise.resolve();
  }
  const { user, system } = process.cpuUsage(before);
  return {
    picker: () => {
      if (picker === undefined) throw new Error("the policy has reported nothing");
      return picker;
    },
    connectMicros: user + system,
    close: () => balancer.close(),
  };
}

/** A subchannel that connects one microtask after the request, and has capacity for every call. */
class InstantSubchannel implements Subchannel {
  readonly address: Address;
  state: Subchannel["state"] = "idle";
  connection: Subchannel["connection"];
  connectionCount = 0;
  readonly lastError = undefined;
  readonly failedAttempts = 0;
  readonly nextAttemptInMs = 0;
  readonly closedWhileActive = false;
  readonly #onState: SubchannelStateListener;

  constructor(address: Address, onState: SubchannelStateListener) {
    this.address = address;
    this.#onState = onState;
  }

  connect(): void {
    if (this.state !== "idle") return;
    this.state = "connecting";
    this.#onState("connecting");
    queueMicrotask(() => {
      this.state = "ready";
      this.connectionCount = 1;
      this.connection = {
        canStartCall: true,
        isAcceptingCalls: true,
        openCalls: 0,
        start() {},
        drain() {},
        close() {},
      };
      this.#onState("ready");
    });
  }

  ensureCapacity(): void {}

  shutdown(): void {
    this.state = "shutdown";
  }
}
