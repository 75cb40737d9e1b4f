import type { PageTokens } from "@tercel/aip";
import type { RestoreStore, StoredRestore } from "../catalog/restore-store.ts";
import { fail } from "../failure/failure.ts";
import type { ListRestoresRequest } from "../gen/wimguard/v1/restore_pb.ts";

/** What listing restores needs. A cursor is the number of the last restore of a page. */
export interface RestorePager {
  readonly restores: RestoreStore;
  readonly tokens: PageTokens<number>;
}

const defaultPageSize = 50;
const maxPageSize = 1000;

/** @throws FailureError FIELD_INVALID or NOT_SUPPORTED, ConnectError for a page token that is not of this list */
export function listRestores({ restores, tokens }: RestorePager, request: ListRestoresRequest) {
  const { pageSize, pageToken, filter, orderBy } = request;
  if (pageSize < 0)
    fail({ reason: "FIELD_INVALID", field: "page_size", message: `invalid page_size ${pageSize}: use 0 or more` });
  if (filter !== "" || orderBy !== "") {
    fail({
      reason: "NOT_SUPPORTED",
      message: "filter and order_by are not supported for restores: they come newest first",
    });
  }
  const limit = pageSize === 0 ? defaultPageSize : Math.min(pageSize, maxPageSize);
  // One more than the page shows whether there is another.
  const found = restores.list(limit + 1, tokens.read({}, pageToken));
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const nextPageToken = found.length > limit && last !== undefined ? tokens.create({}, last.seq) : "";
  return { page: page.map(({ restore }): StoredRestore => restore), nextPageToken, total: restores.count() };
}
