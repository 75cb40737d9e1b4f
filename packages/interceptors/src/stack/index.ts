export {
  type ClientFeature,
  type ClientFeatures,
  type ClientStack,
  type ClientStackOptions,
  createClientStack,
} from "./client-stack.ts";
export type { Interceptors, StackSlots } from "./compose-stack.ts";
export {
  createServerStack,
  type ServerFeature,
  type ServerFeatures,
  type ServerStack,
  type ServerStackOptions,
} from "./server-stack.ts";
