import { PreparedHeaders } from "../hpack/index.ts";
import type { HeaderFields } from "./header-fields.ts";

/** The method mostly comes first; it cannot follow the regular fields. */
export function isHeadRequest(fields: HeaderFields): boolean {
  const list = fields instanceof PreparedHeaders ? fields.fields : fields;
  for (let i = 0; i < list.length && (list[i] as string).startsWith(":"); i += 2) {
    if (list[i] === ":method") return list[i + 1] === "HEAD";
  }
  return false;
}
