// For an application's own providers and needs.

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
