/**
 * The server for h2spec. It responds to every request with 200 and a few bytes, as the cases expect,
 * unlike a gRPC server. It prints its port when it listens. `--tls KEY CERT` serves TLS.
 */
import { readFileSync } from "node:fs";
import { createHttp2Server, type Http2Stream, type StreamListener } from "@tercel/http2";

class Answer implements StreamListener {
  private readonly stream: Http2Stream;

  constructor(stream: Http2Stream) {
    this.stream = stream;
  }

  onHead(): void {}

  onData(_bytes: Uint8Array, start: number, end: number): void {
    this.stream.consume(end - start);
  }

  onTrailers(): void {}

  onEnd(): void {
    this.stream.sendHeaders([":status", "200", "content-type", "text/plain"]);
    this.stream.sendData(Buffer.from("hello, h2spec"), true);
  }

  onReset(): void {}

  onWritable(): void {}
}

const [flag, key, cert] = process.argv.slice(2);
const server = createHttp2Server({
  onStream: (stream) => {
    stream.listener = new Answer(stream);
  },
  ...(flag === "--tls" ? { tls: { key: readFileSync(key as string), cert: readFileSync(cert as string) } } : {}),
});
await server.listen({ host: "127.0.0.1", port: 0 });
const { address } = server;
if (address !== undefined && "port" in address) console.log(address.port);
process.on("SIGTERM", () => {
  server.close(0).then(() => process.exit(0));
});
