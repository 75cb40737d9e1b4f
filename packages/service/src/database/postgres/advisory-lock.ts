import { createHash } from "node:crypto";
import sql, { type Sql } from "sql-template-tag";
import { PermanentError } from "../../permanent-error.ts";
import type { DirectSession } from "./direct-session.ts";

/** The first half of every key, which separates these locks from those of applications: "terc" in ASCII. */
const keySpace = 0x74657263;

/** Returns the second half of the key, from the lock's name. */
function keyOf(name: string): number {
  return createHash("sha256").update(name).digest().readUInt32BE(0) >>> 1;
}

const ownLock = (name: string): Sql => sql`locktype = 'advisory' AND granted AND objsubid = 2
  AND classid = ${keySpace} AND objid = ${keyOf(name)}
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** Returns a query that tells whether any connection has the lock. */
export function isLockHeldQuery(name: string): Sql {
  return sql`SELECT EXISTS (SELECT FROM pg_locks WHERE ${ownLock(name)}) AS held`;
}

/** Tries to take the lock without waiting: a waiting statement would block others that wait for old transactions, such as CREATE INDEX CONCURRENTLY. */
export async function tryAdvisoryLock({ statements }: DirectSession, name: string): Promise<boolean> {
  const [row] = await statements.all(sql`SELECT pg_try_advisory_lock(${keySpace}, ${keyOf(name)}) AS taken`);
  return (row as { taken: boolean }).taken;
}

/** Verifies that this session holds the lock. @throws PermanentError when it does not */
export async function proveLock({ statements }: DirectSession, name: string, description: string): Promise<void> {
  const [row] = await statements.all(
    sql`SELECT EXISTS (SELECT FROM pg_locks WHERE ${ownLock(name)} AND pid = pg_backend_pid()) AS held`,
  );
  if (!(row as { held: boolean }).held) throw new PermanentError(poolerText(description));
}

/**
 * Verifies that two sessions are two server connections. With a pooler in transaction mode they are not, and a lock would stay on a connection that
 * serves others.
 *
 * @throws PermanentError when there is such a pooler
 */
export async function proveSessions(one: DirectSession, other: DirectSession, description: string): Promise<void> {
  const before = await backendOf(one);
  // The open transaction keeps its connection, so that a pooler would have to give the first session another one.
  await other.statements.execute("BEGIN");
  try {
    if ((await backendOf(other)) === before || (await backendOf(one)) !== before) {
      throw new PermanentError(poolerText(description));
    }
  } finally {
    await other.statements.execute("ROLLBACK").catch(() => {});
  }
}

async function backendOf({ statements }: DirectSession): Promise<number> {
  const [row] = await statements.all(sql`SELECT pg_backend_pid() AS pid`);
  return (row as { pid: number }).pid;
}

function poolerText(description: string): string {
  return (
    `${description}: one client connection uses several server connections, as with a pooler in transaction mode; ` +
    "locks need a direct connection: set migration_url to the server's own address"
  );
}
