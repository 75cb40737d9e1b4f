// What a balancing policy of an application is made of; docs/guides show one.

export { deriveHost, type HostOverrides } from "./channel/balancer/derive-host.ts";
export type { EndpointChild } from "./channel/balancer/endpoint-children.ts";
export { GracefulSwitch } from "./channel/balancer/graceful-switch.ts";
export type {
  Balancer,
  BalancerFactory,
  BalancerHost,
  BalancerUpdate,
  CallOutcome,
  CallTracker,
  HealthListener,
  HealthReport,
  LoadReport,
  Picker,
  PickInfo,
  PickResult,
} from "./channel/balancer/index.ts";
export { createFailPicker, createQueuePicker, createUnavailablePicker } from "./channel/balancer/pickers.ts";
export { createPolicies, type Policies } from "./channel/balancer/policies.ts";
export type { ChoosePolicy, PolicyChoice } from "./channel/balancer/policy-choice.ts";
export {
  type CompleteResult,
  createReadyEndpointsBalancer,
  type ReadyPolicy,
  resultsOf,
  resultWithPlace,
} from "./channel/balancer/ready-endpoints.ts";
export type { ConnectivityState } from "./channel/subchannel/connectivity.ts";
export type { Subchannel, SubchannelStateListener } from "./channel/subchannel/index.ts";
