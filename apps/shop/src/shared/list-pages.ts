import { createPageTokens } from "@tercel/aip";
import { invalidField, maxIdChars } from "./field-rules.ts";

/** The request of a list, newest first. */
export interface ListRequest {
  readonly userId: string;
  readonly pageSize: number;
  readonly pageToken: string;
}

/** The query of a page: `limit` rows of the user (of all users if the id is empty) that are older than `before`. */
export interface ListQuery {
  readonly userId: string;
  readonly before: number;
  readonly limit: number;
}

const defaultPageSize = 10;
/** The maximum size, so that a small request cannot cause a response of any size. */
const maxPageSize = 100;

/**
 * Creates the pages of a list whose rows have an increasing `seq`.
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
    // One more row shows whether there is a next page.
    const found = await read({ userId, before, limit: limit + 1 });
    const rows = found.slice(0, limit);
    const last = rows.at(-1);
    return { rows, nextPageToken: found.length > limit && last ? tokens.create(query, last.seq) : "" };
  };
}
