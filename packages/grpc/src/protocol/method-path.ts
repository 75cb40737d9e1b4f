import { Code, ConnectError } from "@connectrpc/connect";

/** Longest path that is taken apart. The longest names in use are below 200 bytes. */
const maxPathBytes = 1024;

export interface MethodPath {
  /** Full name of the service, as "package.Service". */
  readonly service: string;
  readonly method: string;
}

/**
 * Takes a request path of the shape "/package.Service/Method" apart. Everything else, a missing leading slash, an escape or a
 * query included, is Unimplemented. Check it before any interceptor sees the path: rules that match on paths can be evaded by
 * a second spelling otherwise (grpc-go CVE-2026-33186).
 */
export function parseMethodPath(path: string): MethodPath | { error: ConnectError } {
  if (path.length <= maxPathBytes && path.charCodeAt(0) === slash) {
    const second = path.indexOf("/", 1);
    if (second > 0 && isName(path, 1, second) && isName(path, second + 1, path.length)) {
      return { service: path.slice(1, second), method: path.slice(second + 1) };
    }
  }
  const shown = JSON.stringify(path.slice(0, 128));
  return { error: new ConnectError(`path ${shown} does not have the form /Service/Method`, Code.Unimplemented) };
}

/** The request path of a method. */
export function formatMethodPath(service: string, method: string): string {
  return `/${service}/${method}`;
}

const slash = 0x2f;
const dot = 0x2e;

/** Letters, digits, "_" and "-", with single dots in between: protobuf's names, and room for those of other languages. */
function isName(path: string, start: number, end: number): boolean {
  let previous = dot;
  for (let at = start; at < end; at++) {
    const unit = path.charCodeAt(at);
    if (unit === dot) {
      if (previous === dot) return false;
    } else {
      const isAllowed =
        (unit >= 0x61 && unit <= 0x7a) ||
        (unit >= 0x41 && unit <= 0x5a) ||
        (unit >= 0x30 && unit <= 0x39) ||
        unit === 0x5f ||
        unit === 0x2d;
      if (!isAllowed) return false;
    }
    previous = unit;
  }
  return previous !== dot;
}
