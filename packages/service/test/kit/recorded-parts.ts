// Providers and needs that remember what is done with them, in order.
import { type Need, type NeedPart, PermanentError, type Provider } from "@tercel/service/providers";
import { object } from "valibot";

export interface Recorder {
  readonly steps: string[];
  /** The step at which something fails. */
  failsAt: string | undefined;
  /** Notes a step, and fails if it is the one. */
  step(name: string): void;
  provider(concern: string): Provider<object, string>;
  need(concern: string): Need<string>;
}

export function createRecorder(failsAt?: string): Recorder {
  const steps: string[] = [];
  const recorder: Recorder = {
    steps,
    failsAt,
    step(name) {
      if (recorder.failsAt === name) throw new PermanentError(`${name} fails`);
      steps.push(name);
    },
    provider(concern) {
      return {
        concern,
        type: "recorded",
        config: object({}),
        async migrate() {
          recorder.step(`migrate ${concern}`);
        },
        async open() {
          recorder.step(`open ${concern}`);
          return {
            port: `${concern} port`,
            describe: `${concern} in a test`,
            async check() {
              if (recorder.failsAt === `check ${concern}`) throw new Error(`${concern} is away`);
            },
            async close() {
              recorder.step(`close ${concern}`);
            },
          };
        },
      };
    },
    need(concern) {
      return {
        concern,
        ...(concern === "database" && { migrations: new URL("file:///migrations/") }),
        prepare(provided): NeedPart<string> {
          recorder.step(`prepare ${concern}`);
          return {
            port: `a part over the ${provided}`,
            begin: () => recorder.step(`begin ${concern}`),
            pause: () => recorder.step(`pause ${concern}`),
            end: () => recorder.step(`end ${concern}`),
          };
        },
      };
    },
  };
  return recorder;
}

/** A configuration that has a provider for each of these concerns. */
export function configOf(...concerns: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(concerns.map((concern) => [concern, { providers: { recorded: {} } }]));
}
