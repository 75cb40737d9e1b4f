import { createHash, createHmac } from "node:crypto";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { failedPrecondition, invalidArgument } from "@tercel/grpc/errors";
import { type Queries, sql } from "@tercel/service";
import { callerOf } from "../../shared/caller.ts";
import type { StoredUser } from "./user-row.ts";

/** A request with an idempotency key to create a user. */
export interface IdempotencyClaim {
  readonly keyDigest: string;
  readonly fingerprint: string;
  /** Stores the response. Must be called in the transaction of the creation. */
  complete(tx: Queries, user: StoredUser): Promise<void>;
}

/** Returns the claim of a request; undefined without a key. */
export type Claim = <Desc extends DescMessage>(
  schema: Desc,
  request: MessageShape<Desc>,
  key: string,
  context: HandlerContext,
) => IdempotencyClaim | undefined;

const header = "idempotency-key";
/** Printable ASCII, because keys may be metadata. */
const keyForm = /^[\x21-\x7e]{1,255}$/;
/** How long a response is kept. */
const keptMs = 24 * 60 * 60 * 1000;
const purgedRows = 100;

/** @param secret The key of request digests. Requests contain passwords, which could be guessed from a plain digest. */
export function createClaims(secret: Uint8Array): Claim {
  return (schema, request, field, context) => {
    const inHeader = context.requestHeader.get(header)?.trim() ?? "";
    if (field !== "" && inHeader !== "" && field !== inHeader) {
      throw invalidArgument({
        field: "idempotency_key",
        description: `is another key than the one in the header ${header}`,
      });
    }
    const key = field || inHeader;
    if (key === "") return undefined;
    if (!keyForm.test(key)) {
      throw invalidArgument({ field: "idempotency_key", description: "must be 1 to 255 printable ASCII characters" });
    }
    // A key belongs to a caller, but not to a token, which may be renewed before a retry.
    const parts = [callerOf(context).subject ?? "", schema.typeName, key];
    const keyDigest = createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
    const fingerprint = createHmac("sha256", secret).update(toBinary(schema, request)).digest("base64url");
    return {
      keyDigest,
      fingerprint,
      async complete(tx, user) {
        await tx.run(
          sql`UPDATE idempotency_keys SET response = ${JSON.stringify(user)} WHERE key_digest = ${keyDigest}`,
        );
      },
    };
  };
}

/** Returns the user that was created with the key of a claim; undefined if there is none. */
export async function findReplay(
  db: Queries,
  { keyDigest, fingerprint }: IdempotencyClaim,
): Promise<StoredUser | undefined> {
  const found = await db.first<{ fingerprint: string; response: string }>(
    sql`SELECT fingerprint, response FROM idempotency_keys WHERE key_digest = ${keyDigest}`,
  );
  if (found === undefined) return undefined;
  if (found.fingerprint === fingerprint) return JSON.parse(found.response) as StoredUser;
  throw failedPrecondition({
    message: "the idempotency key belongs to another request",
    reason: "IDEMPOTENCY_KEY_REUSED",
    domain: "tercel",
  });
}

/** Takes the key in the transaction of a creation, or returns the user that was created with it. Other transactions with the same key wait for this one. */
export async function claimKey(tx: Queries, claim: IdempotencyClaim, nowMs: number): Promise<StoredUser | undefined> {
  await tx.run(sql`DELETE FROM idempotency_keys WHERE key_digest IN (
    SELECT key_digest FROM idempotency_keys WHERE at_ms < ${nowMs - keptMs} LIMIT ${purgedRows})`);
  const { changes } = await tx.run(sql`INSERT INTO idempotency_keys (key_digest, fingerprint, response, at_ms)
    VALUES (${claim.keyDigest}, ${claim.fingerprint}, '', ${nowMs}) ON CONFLICT DO NOTHING`);
  return changes === 1 ? undefined : findReplay(tx, claim);
}
