import { createServer } from "@tercel/grpc";
import { createHealth, createReflection } from "@tercel/grpc/services";
import { runLifecycle } from "@tercel/service/lifecycle";

const outcome = await runLifecycle(
  async (life) => {
    const notes = await life.start(
      "notes",
      () => ["opened"],
      (opened) => console.log("notes closed after", opened.join(", ")),
    );
    const health = createHealth({
      checks: [{ name: "notes", check: () => notes.length > 0 || Promise.reject("no notes") }],
    });
    const server = createServer({
      routes(router) {
        health.routes(router);
        createReflection({ services: [health.service] }).routes(router);
      },
    });
    const { host, port } = await life.serve(
      server,
      { port: Number(process.env.PORT ?? 50051) },
      {
        health,
        async register() {
          notes.push("registered");
          return () => notes.push("deregistered");
        },
      },
    );
    console.log(`listening on ${host}:${port}`);
  },
  { propagationMs: 200, drainMs: 10_000 },
);
process.exit(outcome.exitCode);
