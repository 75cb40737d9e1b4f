import { stripEdges } from "./metadata-field.ts";

/** How the messages of a call are written. */
export type MessageFormat = "proto" | "json";

const base = "application/grpc";

/**
 * The message format of a content-type: "application/grpc" alone means proto. Upper and lower case are the same and
 * parameters after ";" are ignored. `undefined` means that this is not a supported gRPC content type: HTTP 415 for a request.
 * "application/grpc-web" is another protocol and therefore `undefined`.
 */
export function parseContentType(contentType: string): MessageFormat | undefined {
  switch (contentType) {
    case "application/grpc":
    case "application/grpc+proto":
      return "proto";
    case "application/grpc+json":
      return "json";
    default:
      return parseUnusual(contentType);
  }
}

/** The content-type to send for a message format. */
export function formatContentType(format: MessageFormat): string {
  return format === "proto" ? "application/grpc+proto" : "application/grpc+json";
}

function parseUnusual(contentType: string): MessageFormat | undefined {
  const semicolon = contentType.indexOf(";");
  const mediaType = stripEdges(semicolon < 0 ? contentType : contentType.slice(0, semicolon));
  if (mediaType.length > base.length + "+proto".length) return undefined;
  switch (mediaType.toLowerCase()) {
    case "application/grpc":
    case "application/grpc+proto":
      return "proto";
    case "application/grpc+json":
      return "json";
    default:
      return undefined;
  }
}
