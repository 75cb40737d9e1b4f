// What packages share that runs in browsers as well: nothing here imports Node's modules. No promise is made about it: it may change in any version.

export { type Backoff, type BackoffOptions, createBackoff } from "./channel/retry/backoff.ts";
export {
  definiteCodes,
  type Reconnect,
  type ReconnectPauses,
  type ReconnectRules,
  reconnectingStream,
  reconnectRuleNames,
} from "./channel/retry/reconnecting.ts";
export { checkWholeNumber, nearestName, refuseUnknownOptions } from "./options/check-options.ts";
