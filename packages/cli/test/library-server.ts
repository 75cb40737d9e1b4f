import type { TestContext } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createServer, type ServerOptions } from "@tercel/grpc";
import { notFound } from "@tercel/grpc/errors";
import { createHealth, createReflection, type Health } from "@tercel/grpc/services";
import { Genre, LibraryService } from "./gen/tercel/cli/test/v1/library_pb.ts";

export interface LibraryServer {
  readonly target: string;
  readonly health: Health;
  /** Headers of the last call of GetBook. */
  lastHeaders(): Headers;
}

export interface LibraryServerOptions {
  readonly tls?: NonNullable<ServerOptions["tls"]>;
  /** Default: true. */
  readonly hasReflection?: boolean;
  /** Runs before GetBook answers. */
  readonly onGetBook?: () => Promise<void> | void;
}

/** A server with a method of each kind, until the test ends. */
export async function startLibrary(test: TestContext, options: LibraryServerOptions = {}): Promise<LibraryServer> {
  const health = createHealth();
  health.setStatus(LibraryService.typeName, "SERVING");
  let headers = new Headers();
  const server = createServer({
    ...(options.tls !== undefined && { tls: options.tls }),
    routes(router) {
      router.service(LibraryService, {
        async getBook({ id }, context) {
          headers = context.requestHeader;
          context.responseHeader.set("x-shelf", "7");
          context.responseTrailer.set("x-checked", "yes");
          await options.onGetBook?.();
          if (id === "") throw new ConnectError("id is empty", Code.InvalidArgument);
          if (id === "none")
            throw notFound({ message: "there is no such book", resource: { name: `books/${id}`, type: "book" } });
          return { id, title: "Middlemarch", pages: 9007199254740993n, genre: Genre.NOVEL };
        },
        async *listBooks({ count }) {
          for (let at = 1; at <= count; at++) yield { id: String(at) };
        },
        async addBooks(books) {
          const added = [];
          for await (const book of books) added.push(book);
          return { books: added };
        },
        async *echo(lines) {
          for await (const line of lines) yield line;
        },
      });
      health.routes(router);
      if (options.hasReflection !== false)
        createReflection({ services: [LibraryService, health.service] }).routes(router);
    },
  });
  const { host, port } = await server.listen({ port: 0 });
  test.after(() => {
    health.endWatches();
    return server.close({ deadlineMs: 0 });
  });
  return { target: `${host}:${port}`, health, lastHeaders: () => headers };
}
