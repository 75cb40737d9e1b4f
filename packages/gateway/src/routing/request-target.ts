import type { ConnectError } from "@connectrpc/connect";
import { splitTarget } from "../calls/read-fields.ts";
import { withHttpStatus } from "../rules/http-status.ts";
import { parseRequestPath, type RequestPath } from "../rules/request-path.ts";
import { requestProblem } from "../rules/request-problem.ts";

/** The parsed target of a request. */
export interface RequestTarget {
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly segments: RequestPath;
}

const maxTargetBytes = 8 * 1024;

/** Parses a request target; returns an error for one that no server would accept. */
export function parseTarget(target: string): RequestTarget | ConnectError {
  if (target.length > maxTargetBytes) {
    return withHttpStatus(requestProblem("PATH_TOO_LONG", [], `the path is over ${maxTargetBytes} bytes`), 414);
  }
  const { path, query } = splitTarget(target);
  const segments = parseRequestPath(path);
  return "problem" in segments ? requestProblem("INVALID_PATH", [], segments.problem) : { path, query, segments };
}
