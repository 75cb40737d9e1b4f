// Prints the path of a unary call: the files that it passes on each side, from the stacks of a real call over a socket.
//
//   node --conditions=source tools/docs/call-path.ts

import { relative } from "node:path";
import { createChannel, createClient, createServer } from "@tercel/grpc";
import { HelloService } from "../../examples/hello/gen/hello/v1/hello_pb.ts";

/** The files of one path, in the order of their calls. Calls within a file are one hop. */
export type Way = readonly string[];

export interface CallPath {
  /** From the caller to the first frame. */
  readonly clientRequest: Way;
  /** From the socket to the handler. */
  readonly serverRequest: Way;
  /** From the return of the handler to the first frame. */
  readonly serverResponse: Way;
  /** From the socket to the promise that the caller awaits. */
  readonly clientResponse: Way;
}

const root = `${import.meta.dirname}/../../`;
/** The functions that begin to write frames. The write itself is at the end of the turn, for all frames. */
const flushFrom = "packages/http2/src/connection/frame-writer.ts";

/** A promise reads `then` of an object that it is resolved with. */
const thenable = "then";

/** Makes one call in this process, after others that filled the caches. */
export async function recordCallPath(): Promise<CallPath> {
  let serverRequest: Way = [];
  const server = createServer({
    routes: (router) =>
      router.service(HelloService, {
        // Async, so that the path of the response has its own stack.
        async sayHello({ name }) {
          serverRequest = wayHere();
          return { greeting: `Hello, ${name}!` };
        },
      }),
  });
  const { port } = await server.listen({ port: 0 });
  const channel = createChannel(`127.0.0.1:${port}`);
  const client = createClient(HelloService, channel);
  try {
    for (let call = 0; call < 3; call++) await client.sayHello({ name: "Ada" });
    const ways = { request: [] as Way, response: [] as Way, clientResponse: [] as Way };
    const stop = watch(ways);
    try {
      await client.sayHello({ name: "Ada" });
    } finally {
      stop();
    }
    return {
      clientRequest: ways.request,
      serverRequest,
      serverResponse: ways.response,
      clientResponse: ways.clientResponse,
    };
  } finally {
    await channel.close();
    await server.close();
  }
}

/** Records where writing of frames begins, and where the promise of a response is resolved. Returns a function that stops recording. */
function watch(ways: { request: Way; response: Way; clientResponse: Way }): () => void {
  const { nextTick } = process;
  process.nextTick = ((...given: Parameters<typeof nextTick>) => {
    const way = wayHere();
    if (way.at(-1) === flushFrom) {
      const side = way[0]?.includes("/channel/") === true ? "request" : "response";
      if (ways[side].length === 0) ways[side] = way;
    }
    nextTick(...given);
  }) as typeof nextTick;
  Object.defineProperty(Object.prototype, thenable, {
    configurable: true,
    get() {
      const way = wayHere();
      if (way.at(-1)?.includes("/channel/call/") === true && way[0]?.includes("/socket/") === true) {
        if (ways.clientResponse.length === 0) ways.clientResponse = way;
      }
      return undefined;
    },
  });
  return () => {
    process.nextTick = nextTick;
    Reflect.deleteProperty(Object.prototype, thenable);
  };
}

/** The files of this repository's packages on the stack, the outermost first. */
function wayHere(): Way {
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  Error.prepareStackTrace = (_error, sites) => sites.map((site) => site.getFileName() ?? "");
  const files = new Error("here").stack as unknown as string[];
  Error.prepareStackTrace = prepareStackTrace;
  Error.stackTraceLimit = stackTraceLimit;
  const way: string[] = [];
  for (const url of files.reverse()) {
    if (!url.startsWith("file:")) continue;
    const file = relative(root, new URL(url).pathname);
    if (file.startsWith("packages/") && way.at(-1) !== file) way.push(file);
  }
  return way;
}

/** Returns the files that a path enters twice. */
export function enteredTwice(way: Way): string[] {
  return way.filter((file, at) => way.indexOf(file) !== at);
}

if (import.meta.main) {
  for (const [name, way] of Object.entries(await recordCallPath())) {
    console.log(`${name}: ${way.length} hops`);
    for (const file of way) console.log(`  ${file}${enteredTwice(way).includes(file) ? "   (entered twice)" : ""}`);
  }
}
