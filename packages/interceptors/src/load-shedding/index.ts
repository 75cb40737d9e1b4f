export type { ByMethod, MethodSelector } from "../call/method-selector.ts";
export {
  createLoadShedding,
  type LoadShedding,
  type LoadSheddingOptions,
  type MethodLoadReport,
  type Priority,
} from "./load-shedding.ts";
export type { LoopDelay } from "./loop-delay.ts";
