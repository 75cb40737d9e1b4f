export { type LogLevel, levelOfStatus } from "./level-of-status.ts";
export { createLogger, type Logger, type LoggerOptions, logOf } from "./logger.ts";
export { createClientLogging, createServerLogging, type LoggingOptions } from "./logging.ts";

// For those who log messages themselves.
export { type ReadableLimits, readableMessage } from "./readable-message.ts";
export { isSecretName } from "./secret-name.ts";
