import { Code, ConnectError } from "@connectrpc/connect";
import type { ResponseHead } from "@tercel/http2";
import { chooseResponseDecoding, type EncodingChoice } from "../../protocol/compression.ts";
import { parseContentType } from "../../protocol/content-type.ts";
import { fieldValue, findField } from "../../protocol/find-field.ts";
import { metadataToHeaders } from "../../protocol/metadata.ts";
import { codeFromHttpStatus } from "../../protocol/status.ts";
import type { ClientCallSettings } from "./client-call-settings.ts";

/** Whether a response is gRPC in the requested format; if so, how to read its messages. */
export function checkResponseHead(head: ResponseHead, settings: ClientCallSettings): EncodingChoice {
  const { status, fields } = head;
  if (status !== 200 && findField(fields, "grpc-status") === -1) {
    const code = codeFromHttpStatus(status);
    return {
      error: new ConnectError(`the server answered with HTTP status ${status}`, code, metadataToHeaders(fields)),
    };
  }
  const contentType = fieldValue(fields, "content-type");
  const format = contentType === undefined ? undefined : parseContentType(contentType);
  if (format !== settings.codec.name) {
    const shown =
      contentType === undefined ? "no content-type" : `content-type ${JSON.stringify(contentType.slice(0, 64))}`;
    return { error: new ConnectError(`the server answered with ${shown}, which is not gRPC`, Code.Unknown) };
  }
  return chooseResponseDecoding(fieldValue(fields, "grpc-encoding"), settings.compressions);
}
