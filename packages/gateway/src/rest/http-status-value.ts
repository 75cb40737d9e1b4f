import { type ContextKey, createContextKey, type HandlerContext } from "@connectrpc/connect";

/** The HTTP status that the handler has set; 0 if it has set none. */
export const httpStatusValue: ContextKey<number> = createContextKey(0, { description: "HTTP status over REST" });

/**
 * Sets the HTTP status of a successful response over REST, such as 201 or 202. Other protocols ignore it. A status from 300 to 399 requires a
 * `location` response header.
 *
 * @throws RangeError for a status that is not from 200 to 399
 */
export function setHttpStatus(context: Pick<HandlerContext, "values">, status: number): void {
  if (!Number.isInteger(status) || status < 200 || status > 399) {
    throw new RangeError(`setHttpStatus: status is ${status}; it has to be from 200 to 399`);
  }
  context.values.set(httpStatusValue, status);
}
