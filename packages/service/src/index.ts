// What applications need.

export {
  type Collected,
  createShared,
  type Shared,
  type SharedOptions,
  type WorkerCounts,
} from "@tercel/grpc/internal";
export { runLifecycle } from "./lifecycle/lifecycle.ts";
export type { Lifecycle, LifecycleOutcome, ServedHealth, ServeOptions } from "./lifecycle/lifecycle-contract.ts";
export type { LifecycleOptions } from "./lifecycle/lifecycle-options.ts";
export { onStopSignals, type StopSignalOptions } from "./lifecycle/stop-signals.ts";
export { runWorkers } from "./workers/run-workers.ts";
export type { WorkersOptions } from "./workers/worker-options.ts";

// What providers need besides.

export { PermanentError } from "./permanent-error.ts";
export type {
  Concern,
  MigrationRequest,
  Need,
  NeedHost,
  NeedPart,
  Opened,
  Provider,
  ProviderHost,
} from "./provider.ts";
