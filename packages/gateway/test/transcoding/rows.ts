import type { Row } from "./row.ts";
import { bodyRows } from "./rows/bodies.ts";
import { pathRows } from "./rows/paths.ts";
import { queryRows } from "./rows/queries.ts";
import { responseRows } from "./rows/responses.ts";

/** All rows by topic. */
export const rows: Readonly<Record<string, readonly Row[]>> = {
  paths: pathRows,
  "query parameters": queryRows,
  bodies: bodyRows,
  responses: responseRows,
};
