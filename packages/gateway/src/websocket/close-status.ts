import type { ConnectError } from "@connectrpc/connect";
import { statusNames } from "@tercel/grpc/internal";
import type { MessageSocket } from "./message-socket.ts";

const normalClosure = 1000;
/** Codes 4000 to 4999 are for private use (RFC 6455 §7.4.2). */
const firstOfFailures = 4000;

/** Closes a WebSocket after its call: with 1000 after a success, otherwise with 4000 plus the gRPC code. */
export function closeAfter(socket: MessageSocket, error: ConnectError | undefined): void {
  if (error === undefined) socket.close(normalClosure, "");
  else socket.close(firstOfFailures + error.code, statusNames[error.code] ?? "UNKNOWN");
}
