import { connect } from "node:http2";
import { echoRequest, largeResponseMessage } from "../loop-delay/special-requests.ts";

const connections = 10;
/** The number of streams that a connection may have. */
const callsPerConnection = 200;
const request = echoRequest(largeResponseMessage);

/** Makes calls with large responses on every stream of several connections, without giving window for them. Starts again when a connection ends. */
export async function leaveResponsesUnread(port: number): Promise<never> {
  for (let nth = 0; nth < connections; nth++) openConnection(port);
  return new Promise(() => {});
}

function openConnection(port: number): void {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 0 } });
  session.on("error", () => {}).on("close", () => setTimeout(openConnection, 100, port));
  const openCall = (): void => {
    if (session.destroyed || session.closed) return;
    const stream = session.request({
      ":method": "POST",
      ":path": "/bench.echo.v1.EchoService/Unary",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => {}).on("close", openCall);
    stream.end(request);
  };
  for (let call = 0; call < callsPerConnection; call++) openCall();
}
