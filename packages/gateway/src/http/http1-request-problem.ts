import type { IncomingMessage } from "node:http";

/** Fields of a request; node:http bounds their bytes. */
const maxFields = 100;

/**
 * Why a request's head is refused although node:http takes it. Programs in front of a server read these differently, which lets a client hide
 * one request in another (RFC 9112 §11.2). Undefined for a head that is in order.
 */
export function findHeadProblem(
  httpVersion: string,
  rawHeaders: readonly string[],
): { readonly status: 400 | 431; readonly problem: string } | undefined {
  if (rawHeaders.length > 2 * maxFields) return { status: 431, problem: `more than ${maxFields} header fields` };
  let hosts = 0;
  let lengths = 0;
  let codings = 0;
  let coding = "";
  for (let at = 0; at < rawHeaders.length; at += 2) {
    switch ((rawHeaders[at] as string).toLowerCase()) {
      case "host":
        hosts++;
        break;
      case "content-length":
        lengths++;
        break;
      case "transfer-encoding":
        codings++;
        coding = (rawHeaders[at + 1] as string).toLowerCase();
        break;
    }
  }
  if (hosts > 1) return refuse("duplicate host");
  if (hosts === 0 && httpVersion !== "1.0") return refuse("missing host");
  if (lengths > 1) return refuse("duplicate content-length");
  if (codings === 0) return undefined;
  if (codings > 1) return refuse("duplicate transfer-encoding");
  if (lengths > 0) return refuse("content-length with transfer-encoding");
  if (httpVersion === "1.0") return refuse("transfer-encoding in HTTP/1.0");
  return coding === "chunked" ? undefined : refuse("a transfer-encoding other than chunked");
}

/** Why a request for another protocol is refused. Its body, if it has one, would be taken for the first bytes of that protocol. */
export function findUpgradeProblem({
  method,
  headers,
}: Pick<IncomingMessage, "method" | "headers">): { readonly status: 400 | 501; readonly problem: string } | undefined {
  if (headers.upgrade?.toLowerCase() !== "websocket") {
    return { status: 501, problem: "no upgrade but to WebSockets; leave the field upgrade out" };
  }
  const hasBody = headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
  return method !== "GET" || hasBody ? refuse("a WebSocket begins with GET and no body") : undefined;
}

function refuse(problem: string): { readonly status: 400; readonly problem: string } {
  return { status: 400, problem };
}
