export { runLifecycle } from "./lifecycle.ts";
export type { Lifecycle, LifecycleOutcome, ServedHealth, ServeOptions } from "./lifecycle-contract.ts";
export type { LifecycleOptions } from "./lifecycle-options.ts";
export { onStopSignals, type StopSignalOptions } from "./stop-signals.ts";
