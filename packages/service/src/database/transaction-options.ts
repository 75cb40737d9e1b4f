import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import type { Isolation, TransactionOptions } from "./database.ts";

const isolations: readonly Isolation[] = ["read committed", "repeatable read", "serializable"];
const defaultRetries = 3;
const maxRetries = 100;

/**
 * The options with their defaults.
 *
 * @throws TypeError for an unknown option or isolation, RangeError for a number of retries that is out of bounds
 */
export function readTransactionOptions(options: TransactionOptions): { isolation?: Isolation; retries: number } {
  const where = "transaction";
  refuseUnknownOptions(where, options, ["isolation", "retries"]);
  checkWholeNumber(where, "retries", options.retries, 0, maxRetries);
  const { isolation, retries = defaultRetries } = options;
  if (isolation === undefined) return { retries };
  // It goes into SQL as text.
  if (isolations.includes(isolation)) return { isolation, retries };
  throw new TypeError(
    `transaction: isolation is ${JSON.stringify(isolation)}; it has to be one of ${isolations.join(", ")}`,
  );
}
