// What providers and needs of an application's own are made of.

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
