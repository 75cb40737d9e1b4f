import { withNamedExports, workerNumber } from "@tercel/grpc/internal";
import { type LeveledLog, type LogLevel, toLog } from "@tercel/interceptors/logging";
import { importPeer } from "../import-peer.ts";

export const pinoPeer = { name: "pino", range: "^10" } as const;

/** A log whose level can be changed. */
export interface PinoLog {
  readonly log: LeveledLog;
  readonly setLogLevel: (level: LogLevel) => void;
}

/**
 * Opens a pino logger that writes JSON lines to standard output, with ISO time, the level by name, the service and, in a worker, its number.
 *
 * @throws PermanentError with the install command, when pino is missing
 */
export async function openPinoLog(service: string, level: LogLevel): Promise<PinoLog> {
  const { pino } = await importPeer("logging pino", pinoPeer, () => import("pino").then(withNamedExports));
  const worker = workerNumber();
  const logger = pino(
    {
      level,
      base: { service, ...(worker !== undefined && { worker }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "message",
    },
    pino.destination({ dest: 1, sync: true }),
  );
  return {
    log: toLog(logger),
    setLogLevel(changed) {
      logger.level = changed;
    },
  };
}
