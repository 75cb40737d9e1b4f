// Worker processes.
export {
  createShared,
  type MergedParts,
  type Shared,
  type SharedOptions,
  type WorkerCounts,
  workerNumber,
} from "@tercel/grpc/internal";
export { runWorkers } from "./run-workers.ts";
export type { WorkersOptions } from "./worker-options.ts";
