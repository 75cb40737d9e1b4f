import { ErrorCode, type Http2Stream } from "@tercel/http2";
import type { FieldList } from "../../protocol/metadata.ts";
import { fitStatus } from "../../protocol/trailers.ts";

/**
 * Ends a stream with a status, of which as much is sent as the client accepts. `hasHead`: it follows a head as trailers; otherwise `fields`
 * begin with the head. Where not even the code fits, the stream is reset.
 */
export function sendStatus(stream: Http2Stream, fields: FieldList, hasHead: boolean): void {
  if (!fitStatus(fields, stream.peerMaxHeaderListBytes)) {
    stream.reset(ErrorCode.internalError);
    stream.headersTooLarge();
  } else if (hasHead) stream.sendTrailers(fields);
  else stream.sendHeaders(fields, true);
}
