import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import type { Isolation, TransactionOptions } from "./database.ts";

const isolations: readonly Isolation[] = ["read committed", "repeatable read", "serializable"];
const defaultRetries = 3;
const maxRetries = 100;

/**
 * Validates options and applies defaults.
 *
 * @throws TypeError for an unknown option or isolation, RangeError for an invalid number of retries
 */
export function readTransactionOptions(options: TransactionOptions): { isolation?: Isolation; retries: number } {
  const where = "transaction";
  refuseUnknownOptions(where, options, ["isolation", "retries"]);
  checkWholeNumber(where, "retries", options.retries, 0, maxRetries);
  const { isolation, retries = defaultRetries } = options;
  if (isolation === undefined) return { retries };
  // The isolation becomes SQL text.
  if (isolations.includes(isolation)) return { isolation, retries };
  throw new TypeError(
    `transaction: invalid isolation ${JSON.stringify(isolation)}: expected one of ${isolations.join(", ")}`,
  );
}
