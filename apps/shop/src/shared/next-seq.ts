import { type Queries, sql } from "@tercel/service";

/**
 * The next number of a counter. Whoever takes one holds the counter's row until its transaction ends, so that numbers become visible in
 * their order, which sequences and identity columns of PostgreSQL do not promise.
 */
export async function nextSeq(tx: Queries, counter: string): Promise<number> {
  const { n } = await tx.one<{ n: number }>(sql`UPDATE counters SET n = n + 1 WHERE name = ${counter} RETURNING n`);
  return n;
}
