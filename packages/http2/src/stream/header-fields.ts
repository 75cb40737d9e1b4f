import type { PreparedHeaders } from "../hpack/index.ts";

/** A header list to send: a flat list, or one that is prepared because it is sent again and again. */
export type HeaderFields = readonly string[] | PreparedHeaders;
