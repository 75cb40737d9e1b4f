import type { Definition } from "../definition/definition.ts";
import type { Routes } from "../definition/normalize-definition.ts";
import type { StartOptions } from "./running-service.ts";

// Each has its own types of needs and settings, which do not matter here.
// biome-ignore lint/suspicious/noExplicitAny: no other type accepts definitions of all kinds
export type AnyDefinition = Definition<any, any>;

/** One of several services in one process, with the source of its configuration. */
export interface ServiceToRun extends StartOptions {
  readonly definition: AnyDefinition | Routes;
}
