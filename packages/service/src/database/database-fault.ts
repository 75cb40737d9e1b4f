import { CommitUnknown, DatabaseFull, DatabaseUnavailable, UniqueViolation } from "./database-errors.ts";

/** The meaning of a database error for the caller. */
export type DatabaseFault =
  /** A row with the same key exists. */
  | "exists"
  /** The transaction lost against another one and may succeed when it is retried. */
  | "conflict"
  | "full"
  | "unavailable"
  | "commit unknown";

/** Properties of drivers' errors; each driver sets some of them. */
interface DriverError {
  readonly code?: unknown;
  readonly severity?: unknown;
  readonly sqlState?: unknown;
  readonly errno?: unknown;
  readonly errcode?: unknown;
  readonly clientVersion?: unknown;
  readonly cause?: unknown;
}

/** SQLSTATE codes (PostgreSQL, appendix A), which are the same in every driver of its protocol. */
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
/** The class of connection errors. */
const connectionStates = /^08[0-9A-Z]{3}$/;

/** sqlite.org/rescode.html: extended codes for uniqueness, primary ones for the rest. */
const bySqliteCode: Readonly<Record<number, DatabaseFault>> = { 1555: "exists", 2067: "exists", 2579: "exists" };
const byPrimarySqliteCode: Readonly<Record<number, DatabaseFault>> = {
  5: "unavailable",
  6: "unavailable",
  13: "full",
};

/** The same codes by better-sqlite3's names. */
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

/** Limit on nested causes: query builders set `cause` to the driver's error. */
const maxCauses = 4;

/**
 * Classifies a database error: of this package, of pg, postgres.js, mysql2, node:sqlite, better-sqlite3 or Prisma, or one whose cause is such an error.
 * Returns undefined for other errors.
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
  // A five-character code may be anything; with a severity it comes from the server.
  if (typeof severity !== "string") return undefined;
  return bySqlState[code] ?? (connectionStates.test(code) ? "unavailable" : undefined);
}
