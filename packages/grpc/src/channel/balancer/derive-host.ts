import type { BalancerHost } from "./index.ts";

/** What a policy may do in its own way for a child of its. */
export type HostOverrides = Partial<Omit<BalancerHost, "targetText" | "clock">>;

/** The host of a policy as the host of its child, except for what the policy does itself. */
export function deriveHost(host: BalancerHost, own: HostOverrides): BalancerHost {
  return {
    targetText: host.targetText,
    clock: host.clock,
    createSubchannel: own.createSubchannel ?? ((address, onState) => host.createSubchannel(address, onState)),
    updateState: own.updateState ?? ((state, picker) => host.updateState(state, picker)),
    requestResolution: own.requestResolution ?? (() => host.requestResolution()),
    watchHealth: own.watchHealth ?? host.watchHealth,
    watchLoad: own.watchLoad ?? host.watchLoad,
  };
}
