export { createLoadShedding, type LoadShedding, type LoadSheddingOptions, type Priority } from "./load-shedding.ts";
export type { LoopDelay } from "./loop-delay.ts";
