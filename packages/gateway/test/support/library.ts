import { clone, create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { applyFieldMask } from "@tercel/aip";
import { createGateway, type GatewayOptions } from "@tercel/gateway";
import { createServer, type Server, type ServerOptions } from "@tercel/grpc";
import { invalidArgument, notFound, unavailable } from "@tercel/grpc/errors";
import { type Book, BookSchema, type Library } from "../gen/tercel/gateway/test/v1/library_pb.ts";

/** State of the library service for a test. */
export interface LibraryState {
  readonly books: Map<string, Book>;
  /** The requests that the handlers have received. */
  readonly requests: unknown[];
}

export function createLibraryState(): LibraryState {
  const first = create(BookSchema, {
    name: "shelves/7/books/1",
    title: "Flatland",
    author: { givenName: "Edwin", familyName: "Abbott" },
    pageCount: 96n,
    etag: "v1",
  });
  return { books: new Map([[first.name, first]]), requests: [] };
}

export function createLibrary(state: LibraryState): ServiceImpl<typeof Library> {
  const find = (name: string): Book => {
    const book = state.books.get(name);
    if (book === undefined) throw notFound({ resource: { name, type: "Book" }, message: `${name} was not found` });
    return book;
  };
  const seen = <T>(request: T): T => {
    state.requests.push(request);
    return request;
  };
  return {
    getBook: (request, context) => {
      context.responseHeader.set("x-served-by", "library");
      context.responseTrailer.set("x-cost", "3");
      return find(seen(request).name);
    },
    listBooks: (request) => {
      seen(request);
      return { books: [...state.books.values()], nextPageToken: "" };
    },
    createBook: (request) => {
      const { shelf, book } = seen(request);
      const made = clone(BookSchema, book ?? create(BookSchema));
      if (made.title === "") throw invalidArgument({ field: "book.title", description: "must not be empty" });
      made.name = `shelves/${shelf}/books/${state.books.size + 1}`;
      state.books.set(made.name, made);
      return made;
    },
    updateBook: (request) => {
      const { book = create(BookSchema), updateMask } = seen(request);
      const stored = find(book.name);
      applyFieldMask(BookSchema, stored, book, updateMask);
      return stored;
    },
    deleteBook: (request) => {
      find(seen(request).name);
      state.books.delete(request.name);
      return {};
    },
    lendBook: (request) => find(seen(request).name),
    tagBooks: (request) => seen(request),
    readFile: (request) => ({ contentType: "text/plain", data: Buffer.from(`file ${seen(request).path}`) }),
    putFile: (request) => seen(request),
    async *watchBooks(request) {
      const { resumeToken, count, failAfter } = seen(request);
      const start = resumeToken === "" ? 0 : Number(resumeToken);
      for (let at = start + 1; at <= start + count; at++) {
        if (failAfter !== 0 && at > failAfter)
          throw unavailable({ message: "the press has stopped", retryAfterMs: 1500 });
        yield { resumeToken: String(at), book: { title: `Volume ${at}` } };
      }
      if (failAfter !== 0 && start + count <= failAfter) throw notFound({ message: "no such shelf" });
    },
    async importBooks(requests) {
      let count = 0;
      for await (const request of requests) {
        seen(request);
        count++;
      }
      return { count };
    },
    echo: (request) => seen(request),
    async *chat(requests) {
      for await (const request of requests) yield seen(request);
    },
  };
}

export interface RunningLibrary {
  readonly state: LibraryState;
  readonly server: Server;
  readonly port: number;
  readonly url: string;
}

/** Starts a server with the library service on a free port. The test must close it. */
export async function startLibrary(
  service: typeof Library,
  gateway: GatewayOptions = {},
  options: Partial<ServerOptions> = {},
): Promise<RunningLibrary> {
  const state = createLibraryState();
  const server = createServer({
    routes: (router) => router.service(service, createLibrary(state)),
    gateway: createGateway(gateway),
    ...options,
  });
  const { port } = await server.listen({ port: 0 });
  return { state, server, port, url: `http://127.0.0.1:${port}` };
}
