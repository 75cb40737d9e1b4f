/** A server whose handlers, interceptors and compression throw what the request says. Prints its port. */
import { createServer, gzipCompression, type Log, type ServerOptions } from "@tercel/grpc";
import { echoRoutes } from "../support/open-echo.ts";
import { hookInterceptor, throwing, wrapInterceptor } from "./throwing-parts.ts";

const fail = (): never => {
  throw new Error("the log is broken");
};
const reject = async (): Promise<void> => fail();
const logs: Record<string, Log | undefined> = {
  default: undefined,
  throwing: { debug: fail, info: fail, warn: fail, error: fail },
  rejecting: { debug: reject, info: reject, warn: reject, error: reject },
};

const [logName = "default", stack = "bare"] = process.argv.slice(2);
const log = logs[logName];
process.on("warning", ({ name, message }) => console.log(`warning ${name} ${message}`));
const options: ServerOptions = {
  routes: echoRoutes({
    unary({ text }, context) {
      throwing("handler", text);
      if (text === "metadata") {
        context.responseHeader.set("x-broken-bin", "this is not base64!");
        context.responseTrailer.set("x-broken-bin", "this is not base64!");
      }
      return text.startsWith("later ") ? Promise.reject(thrownLater(text)) : { text: text.padEnd(2000) };
    },
    async *serverStream({ text }) {
      yield {};
      throwing("handler", text);
    },
    async clientStream(requests) {
      for await (const { text } of requests) throwing("handler", text);
      return {};
    },
  }),
  compressMinBytes: 1024,
  compressions: [
    {
      ...gzipCompression,
      compress(bytes) {
        throwing(
          "compression",
          new TextDecoder()
            .decode(bytes)
            .replace(/^[^ -~]+/, "")
            .trim(),
        );
        return gzipCompression.compress(bytes);
      },
    },
  ],
  interceptors:
    stack === "hooks" ? [hookInterceptor] : stack === "interceptors" ? [hookInterceptor, wrapInterceptor] : [],
  exposeDebugInfo: stack === "hooks",
  ...(log !== undefined && { log }),
};

function thrownLater(text: string): unknown {
  try {
    throwing("later", text);
  } catch (error) {
    return error;
  }
  return undefined;
}

const server = createServer(options);
const { port } = await server.listen({ port: 0 });
console.log(`port ${port}`);
