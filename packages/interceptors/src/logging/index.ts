export type { ByMethod, MethodSelector } from "../call/method-selector.ts";
export { type AdjustableLog, createLog, type LeveledLog, type LogOptions } from "./json-log.ts";
export { type LogLevel, levelOfStatus } from "./level-of-status.ts";
export { createClientLogging, createServerLogging, type LoggingOptions } from "./logging.ts";
// For applications that log messages themselves.
export { type ReadableLimits, readableMessage } from "./readable-message.ts";
export { isSecretName } from "./secret-name.ts";
export { type PinoLogger, toLog } from "./to-log.ts";
