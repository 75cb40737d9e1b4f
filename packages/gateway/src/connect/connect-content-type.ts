import type { MessageFormat } from "@tercel/grpc/protocols";

const unaryType = /^application\/(json|proto)(?:;\s*charset="?utf-?8"?)?$/i;
const streamType = /^application\/connect\+(json|proto)(?:;\s*charset="?utf-?8"?)?$/i;

/** Parses a content type of the Connect protocol; undefined for one of another protocol. */
export function parseConnectContentType(
  contentType: string,
): { readonly format: MessageFormat; readonly isStream: boolean } | undefined {
  const unary = unaryType.exec(contentType);
  if (unary !== null) return { format: formatOf(unary), isStream: false };
  const stream = streamType.exec(contentType);
  return stream === null ? undefined : { format: formatOf(stream), isStream: true };
}

function formatOf(match: RegExpExecArray): MessageFormat {
  return (match[1] as string).toLowerCase() === "json" ? "json" : "proto";
}
