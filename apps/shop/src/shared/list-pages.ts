import { createPageTokens } from "@tercel/aip";
import { invalidField, maxIdChars } from "./field-rules.ts";

/** What a list of the newest first is asked for. */
export interface ListRequest {
  readonly userId: string;
  readonly pageSize: number;
  readonly pageToken: string;
}

/** What to read for it: `limit` rows of the user (of every user if the id is empty) that are older than `before`. */
export interface ListQuery {
  readonly userId: string;
  readonly before: number;
  readonly limit: number;
}

const defaultPageSize = 10;
/** A larger page would let one small request make the service build a response of any size. */
const maxPageSize = 100;

/**
 * Creates the pages of a list whose rows have a `seq` that rises.
 *
 * @param secret 32 bytes or more, the same in every process.
 */
export function createListPages(list: string, secret: Uint8Array) {
  const tokens = createPageTokens<number>({ keys: [{ id: "1", secret }] });
  return async <Row extends { readonly seq: number }>(
    { userId, pageSize, pageToken }: ListRequest,
    read: (query: ListQuery) => Promise<readonly Row[]>,
  ): Promise<{ readonly rows: readonly Row[]; readonly nextPageToken: string }> => {
    if (userId.length > maxIdChars) throw invalidField("user_id", `must have at most ${maxIdChars} characters`);
    if (pageSize < 0) throw invalidField("page_size", "must not be negative");
    const query = { list, userId };
    const before = tokens.read(query, pageToken) ?? Number.MAX_SAFE_INTEGER;
    const limit = Math.min(pageSize === 0 ? defaultPageSize : pageSize, maxPageSize);
    // One more than wanted shows whether there is a next page.
    const found = await read({ userId, before, limit: limit + 1 });
    const rows = found.slice(0, limit);
    const last = rows.at(-1);
    return { rows, nextPageToken: found.length > limit && last ? tokens.create(query, last.seq) : "" };
  };
}
