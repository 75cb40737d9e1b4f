import type { ConnectError } from "@connectrpc/connect";
import { statusNames } from "@tercel/grpc/internal";
import type { MessageSocket } from "./message-socket.ts";

const normalClosure = 1000;
/** Codes from here on are for applications (RFC 6455 §7.4.2). */
const firstOfFailures = 4000;

/** Closes a WebSocket as its call ended: 1000, or 4000 and the gRPC code. */
export function closeAfter(socket: MessageSocket, error: ConnectError | undefined): void {
  if (error === undefined) socket.close(normalClosure, "");
  else socket.close(firstOfFailures + error.code, statusNames[error.code] ?? "UNKNOWN");
}
