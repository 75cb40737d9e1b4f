import { CommitUnknown, DatabaseFull, DatabaseUnavailable, UniqueViolation } from "./database-errors.ts";

/** What an error of a database means for whoever called. */
export type DatabaseFault =
  /** A row with the same key is there already. */
  | "exists"
  /** Another transaction was preferred: the same work may succeed when it is run again. */
  | "conflict"
  | "full"
  | "unavailable"
  | "commit unknown";

/** What drivers put on their errors; each sets some of it. */
interface DriverError {
  readonly code?: unknown;
  readonly severity?: unknown;
  readonly sqlState?: unknown;
  readonly errno?: unknown;
  readonly errcode?: unknown;
  readonly clientVersion?: unknown;
  readonly cause?: unknown;
}

/** PostgreSQL, appendix A; the same in every driver that speaks its protocol. */
const bySqlState: Readonly<Record<string, DatabaseFault>> = {
  "23505": "exists",
  "40001": "conflict",
  "40P01": "conflict",
  "53100": "full",
  "53300": "unavailable",
  "57P01": "unavailable",
  "57P02": "unavailable",
  "57P03": "unavailable",
};
/** The class of lost and refused connections. */
const connectionStates = /^08[0-9A-Z]{3}$/;

/** sqlite.org/rescode.html: extended codes for uniqueness, primary ones for the rest. */
const bySqliteCode: Readonly<Record<number, DatabaseFault>> = { 1555: "exists", 2067: "exists", 2579: "exists" };
const byPrimarySqliteCode: Readonly<Record<number, DatabaseFault>> = {
  5: "unavailable",
  6: "unavailable",
  13: "full",
};

/** The same codes by the names that better-sqlite3 has for them. */
const bySqliteName: Readonly<Record<string, DatabaseFault>> = {
  SQLITE_CONSTRAINT_PRIMARYKEY: "exists",
  SQLITE_CONSTRAINT_UNIQUE: "exists",
  SQLITE_CONSTRAINT_ROWID: "exists",
  SQLITE_BUSY: "unavailable",
  SQLITE_LOCKED: "unavailable",
  SQLITE_FULL: "full",
};

/** MySQL's and MariaDB's numbers. */
const byMysqlNumber: Readonly<Record<number, DatabaseFault>> = {
  1021: "full",
  1040: "unavailable",
  1053: "unavailable",
  1062: "exists",
  1114: "full",
  1205: "conflict",
  1213: "conflict",
};

/** Prisma, "Error reference". */
const byPrismaCode: Readonly<Record<string, DatabaseFault>> = {
  P1001: "unavailable",
  P1002: "unavailable",
  P1008: "unavailable",
  P1017: "unavailable",
  P2002: "exists",
  P2024: "unavailable",
  P2034: "conflict",
};

/** Query builders put the driver's error into `cause`. */
const maxCauses = 4;

/**
 * What an error means that comes from a database: one of this package's own, or of pg, postgres.js, mysql2, node:sqlite, better-sqlite3 and Prisma, or
 * one whose cause is such an error. Undefined for every other error. Pure.
 */
export function databaseFault(error: unknown): DatabaseFault | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth <= maxCauses; at = at.cause, depth++) {
    const fault = ownFault(at) ?? driverFault(at as DriverError);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function ownFault(error: Error): DatabaseFault | undefined {
  if (error instanceof UniqueViolation) return "exists";
  if (error instanceof DatabaseFull) return "full";
  if (error instanceof DatabaseUnavailable) return "unavailable";
  if (error instanceof CommitUnknown) return "commit unknown";
  return undefined;
}

function driverFault(error: DriverError): DatabaseFault | undefined {
  const { code, severity, sqlState, errno, errcode, clientVersion } = error;
  if (typeof errcode === "number") return bySqliteCode[errcode] ?? byPrimarySqliteCode[errcode & 0xff];
  if (typeof sqlState === "string" && typeof errno === "number") return byMysqlNumber[errno];
  if (typeof code !== "string") return undefined;
  if (code === "PROTOCOL_CONNECTION_LOST") return "unavailable";
  if (code.startsWith("SQLITE_"))
    return bySqliteName[code] ?? (code.startsWith("SQLITE_BUSY_") ? "unavailable" : undefined);
  if (typeof clientVersion === "string") return byPrismaCode[code];
  // A text of five characters may be anything; with a severity it is what the server has sent.
  if (typeof severity !== "string") return undefined;
  return bySqlState[code] ?? (connectionStates.test(code) ? "unavailable" : undefined);
}
